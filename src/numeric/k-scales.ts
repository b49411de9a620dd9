// The 12 bytes that hold eight 6-bit scales and eight 6-bit minima of a Q4_K or Q5_K block. The first four of each lie
// in the low 6 bits of bytes 0-3 and 4-7; the last four have their low nibbles in bytes 8-11 and their upper two bits
// in the top of bytes 0-3 and 4-7.

/** Scale of sub-block `j` (0..7). */
export const subScale = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j] & 63 : (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4);

/** Minimum of sub-block `j` (0..7). */
export const subMinimum = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j + 4] & 63 : (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4);

/** Stores all of them in 12 zeroed bytes. */
export function packScales(bytes: Uint8Array, at: number, scales: Uint8Array, minima: Uint8Array): void {
  for (let j = 0; j < 4; j++) {
    bytes[at + j] = scales[j] | ((scales[j + 4] >> 4) << 6);
    bytes[at + 4 + j] = minima[j] | ((minima[j + 4] >> 4) << 6);
    bytes[at + 8 + j] = (scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4);
  }
}
