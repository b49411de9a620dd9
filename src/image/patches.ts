// Cuts prepared images into the rows that models read.

/**
 * Planes (3, side, side) -> rows (1 + (side / patchSide)², 3 patchSide²): a row of zeros, which stands for the whole image,
 * then the patches from left to right and from above, of each its planes, row by row.
 */
export function cutPatches(planes: ArrayLike<number>, side: number, patchSide: number): Float32Array<ArrayBuffer> {
  const across = side / patchSide;
  const columns = 3 * patchSide * patchSide;
  const rows = new Float32Array((1 + across * across) * columns);
  let at = columns;
  for (let patch = 0; patch < across * across; patch++) {
    const [top, left] = [Math.floor(patch / across) * patchSide, (patch % across) * patchSide];
    for (let plane = 0; plane < 3; plane++) {
      for (let y = top; y < top + patchSide; y++) {
        const first = (plane * side + y) * side + left;
        for (let x = 0; x < patchSide; x++) rows[at++] = planes[first + x];
      }
    }
  }
  return rows;
}
