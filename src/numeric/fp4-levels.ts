// The sixteen numbers of four-bit floats (1 sign, 2 exponent, 1 fraction bit), twice as large so that they are whole.
export const fp4Levels = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** The code whose number times `scale` is nearest to `value`; of several the first. */
export function nearestFp4(value: number, scale: number): number {
  let best = 0;
  let least = Infinity;
  for (let code = 0; code < 16; code++) {
    const error = Math.abs(Math.fround(Math.fround(fp4Levels[code] * scale) - value));
    if (error < least) {
      best = code;
      least = error;
    }
  }
  return best;
}
