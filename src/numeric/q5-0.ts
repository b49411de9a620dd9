// Q5_0: 32 weights in 22 bytes: f16 scale d, the fifth bits of all weights (u32, bit i is weight i's), 16 bytes of
// nibbles; w = d * (q - 16).
import { blockFormat } from "./block-format.ts";
import { fiveBits, packFive } from "./five-bits.ts";
import { f16At, storeF16 } from "./f16.ts";
import { eachWeightedRun } from "./importance.ts";
import { extreme, inverse, truncate } from "./rounding.ts";
import { fitSigned } from "./search.ts";

const codes = new Uint8Array(32);
const costs = new Float32Array(32);

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
  encodeBlocks(values, bytes, importance) {
    if (importance !== undefined) {
      eachWeightedRun(values, importance, costs, (from) => {
        const at = (from / 32) * 22;
        storeF16(bytes, at, fitSigned(values, from, 32, 16, costs, codes, 0));
        packFive(bytes, at + 2, codes);
      });
      return;
    }
    for (let at = 0, from = 0; from < values.length; at += 22, from += 32) {
      // the weight of largest magnitude lands exactly on code 0, that is -16
      const d = Math.fround(extreme(values, from) / -16);
      const id = inverse(d);
      storeF16(bytes, at, d);
      for (let i = 0; i < 32; i++) codes[i] = truncate(Math.fround(Math.fround(values[from + i] * id) + 16.5), 31);
      packFive(bytes, at + 2, codes);
    }
  },
});
