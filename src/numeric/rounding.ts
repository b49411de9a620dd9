// Pieces of ggml's reference rounding (`quantize_row_*_ref`) that the 32-weight formats share. Every operation rounds
// to f32 on its own; none is fused.

/** The value of largest magnitude among the 32 from `from` on, with its sign; the first one where two are equal. */
export function extreme(values: Float32Array, from: number): number {
  let found = 0;
  for (let i = from; i < from + 32; i++) if (Math.abs(values[i]) > Math.abs(found)) found = values[i];
  return found;
}

/** The smallest and the largest of the 32 values from `from` on. */
export function range(values: Float32Array, from: number): { min: number; max: number } {
  let min = values[from];
  let max = min;
  for (let i = from + 1; i < from + 32; i++) {
    min = Math.min(min, values[i]);
    max = Math.max(max, values[i]);
  }
  return { min, max };
}

/** 1 / scale in f32; 0 for a block of zeros. */
export const inverse = (scale: number): number => (scale === 0 ? 0 : Math.fround(1 / scale));

/** A code: towards zero, inside 0..max. */
export const truncate = (value: number, max: number): number => Math.min(max, Math.max(0, Math.trunc(value)));

/** Stores 32 codes' lower four bits in 16 bytes at `at`: the first half in the low nibbles, the second in the high ones. */
export function pack(bytes: Uint8Array, at: number, codes: Uint8Array): void {
  for (let i = 0; i < 16; i++) bytes[at + i] = (codes[i] & 15) | ((codes[i + 16] & 15) << 4);
}

/** The largest magnitude among `count` values from `from` on. */
export function largestOf(values: Float32Array, from: number, count: number): number {
  let most = 0;
  for (let i = from; i < from + count; i++) if (Math.abs(values[i]) > most) most = Math.abs(values[i]);
  return most;
}

/** To the nearest integer, ties away from zero, as C's roundf. */
export const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
