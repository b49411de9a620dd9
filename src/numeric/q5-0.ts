// Q5_0: 32 weights in 22 bytes: f16 scale d, the fifth bits of all weights (u32, bit i is weight i's), 16 bytes of
// nibbles; w = d * (q - 16).
import { blockFormat } from "./block-format.ts";
import { fiveBits, packFive } from "./five-bits.ts";
import { f16At, storeF16 } from "./f16.ts";
import { extreme, inverse, truncate } from "./rounding.ts";

export const q5_0 = blockFormat({
  name: "q5_0",
  ggmlType: 6,
  blockSize: 32,
  blockBytes: 22,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 22, out += 32) {
      const d = f16At(bytes, at);
      for (let i = 0; i < 32; i++) values[out + i] = d * (fiveBits(bytes, at + 2, i) - 16);
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 22, from += 32) {
      // the weight of largest magnitude lands exactly on code 0, that is -16
      const d = Math.fround(extreme(values, from) / -16);
      const id = inverse(d);
      storeF16(bytes, at, d);
      packFive(bytes, at + 2, (i) => truncate(Math.fround(Math.fround(values[from + i] * id) + 16.5), 31));
    }
  },
});
