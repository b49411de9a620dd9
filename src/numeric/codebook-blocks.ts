// What formats share whose weights are entries of a codebook: words of bytes, signs, and an entry written out.

export const u16At = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
export const u32At = (bytes: Uint8Array, at: number): number => (u16At(bytes, at) | (u16At(bytes, at + 2) << 16)) >>> 0;
/** Nibble `i` of the bytes from `at` on. */
export const nibbleAt = (bytes: Uint8Array, at: number, i: number): number =>
  (bytes[at + (i >> 1)] >> (4 * (i & 1))) & 15;

/** Eight signs by seven bits: the eighth makes the number of minuses even. */
export const evenSigns = Uint8Array.from({ length: 128 }, (_, seven) => {
  let minuses = 0;
  for (let bits = seven; bits > 0; bits >>= 1) minuses += bits & 1;
  return seven | ((minuses & 1) << 7);
});

/** Writes `count` numbers of a codebook from `from` on, times the scale, negative where their bit of `signs` is set. */
export function putSigned(
  values: Float32Array,
  out: number,
  codebook: Int8Array,
  from: number,
  count: number,
  scale: number,
  signs: number,
): void {
  for (let i = 0; i < count; i++) {
    const size = scale * codebook[from + i];
    values[out + i] = (signs >> i) & 1 ? -size : size;
  }
}

/** Writes eight numbers of a codebook, each more by `delta`, times the scale. */
export function putShifted(
  values: Float32Array,
  out: number,
  codebook: Int8Array,
  from: number,
  scale: number,
  delta: number,
): void {
  for (let i = 0; i < 8; i++) values[out + i] = scale * (codebook[from + i] + delta);
}

/** What IQ1 adds to or takes from each number of an entry. */
export const IQ1_DELTA = 0.125;
