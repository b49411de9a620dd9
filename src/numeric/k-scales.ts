// The 12 bytes that hold eight 6-bit scales and eight 6-bit minima of a Q4_K or Q5_K block. The first four of each lie
// in the low 6 bits of bytes 0-3 and 4-7; the last four have their low nibbles in bytes 8-11 and their upper two bits
// in the top of bytes 0-3 and 4-7.

/** Scale of sub-block `j` (0..7). */
export const subScale = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j] & 63 : (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4);

/** Minimum of sub-block `j` (0..7). */
export const subMinimum = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j + 4] & 63 : (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4);
