// TQ1_0: 256 weights of three values in 54 bytes: 48 bytes of five ternary digits and 4 of four, f16 d; w = d * (t - 1).
// A byte is the digits as a fraction of 256, the first digit in front, rounded up, so that multiplying by three gives one
// digit after another. Bytes 0-31 hold five runs of 32 weights, bytes 32-47 five of 16, the last four bytes four of 4.
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { inverse, largestOf, roundAway } from "./rounding.ts";

/** Runs of weights, each with a digit in every byte from `at` on: [bytes, digits]. */
const GROUPS = [
  { at: 0, bytes: 32, digits: 5 },
  { at: 32, bytes: 16, digits: 5 },
  { at: 48, bytes: 4, digits: 4 },
] as const;

export const tq1_0 = blockFormat({
  name: "tq1_0",
  ggmlType: 34,
  blockSize: 256,
  blockBytes: 54,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 54) {
      const d = f16At(bytes, at + 52);
      for (const group of GROUPS) {
        for (let digit = 0, power = 1; digit < group.digits; digit++, power *= 3) {
          for (let i = 0; i < group.bytes; i++) {
            const rest = (bytes[at + group.at + i] * power) & 255;
            values[out++] = (((rest * 3) >> 8) - 1) * d;
          }
        }
      }
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 54) {
      const d = largestOf(values, from, 256);
      const id = inverse(d);
      storeF16(bytes, at + 52, d);
      for (const group of GROUPS) {
        for (let i = 0; i < group.bytes; i++) {
          let digits = 0;
          for (let digit = 0; digit < 5; digit++) {
            const value =
              digit < group.digits ? roundAway(Math.fround(values[from + group.bytes * digit + i] * id)) + 1 : 0;
            digits = 3 * digits + value;
          }
          bytes[at + group.at + i] = Math.ceil((digits * 256) / 243);
        }
        from += group.bytes * group.digits;
      }
    }
  },
});
