// TQ2_0: 256 weights of three values in 66 bytes: 64 bytes of bit pairs, f16 d; w = d * (q - 1). Each half of 128 weights
// has 32 bytes; pair r of a byte belongs to its run of 32 number r.
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { inverse, largestOf, roundAway } from "./rounding.ts";

export const tq2_0 = blockFormat({
  name: "tq2_0",
  ggmlType: 35,
  blockSize: 256,
  blockBytes: 66,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 66, out += 256) {
      const d = f16At(bytes, at + 64);
      for (let i = 0; i < 256; i++) {
        const code = (bytes[at + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
        values[out + i] = (code - 1) * d;
      }
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 66, from += 256) {
      const d = largestOf(values, from, 256);
      const id = inverse(d);
      storeF16(bytes, at + 64, d);
      for (let i = 0; i < 256; i++) {
        const code = roundAway(Math.fround(values[from + i] * id)) + 1;
        bytes[at + 32 * (i >> 7) + (i & 31)] |= code << (2 * ((i >> 5) & 3));
      }
    }
  },
});
