// 32 codes of five bits in 20 bytes, as Q5_0 and Q5_1 hold them: a u32 of the fifth bits, then the nibbles.
import { nibble } from "./block-format.ts";
import { pack } from "./rounding.ts";

/** Code `i` of the 20 bytes at `at`. */
export const fiveBits = (bytes: Uint8Array, at: number, i: number): number =>
  nibble(bytes, at + 4, i) | (((bytes[at + (i >> 3)] >> (i & 7)) & 1) << 4);

/** Stores 32 codes in 20 zeroed bytes at `at`. */
export function packFive(bytes: Uint8Array, at: number, codes: Uint8Array): void {
  for (let i = 0; i < 32; i++) bytes[at + (i >> 3)] |= (codes[i] >> 4) << (i & 7);
  pack(bytes, at + 4, codes);
}
