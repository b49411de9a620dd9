// Q4_0: 32 weights in 18 bytes: f16 scale d, 16 bytes of nibbles; w = d * (q - 8).
import { blockFormat, nibble } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { eachWeightedRun } from "./importance.ts";
import { extreme, inverse, pack, truncate } from "./rounding.ts";
import { fitSigned } from "./search.ts";

const codes = new Uint8Array(32);
const costs = new Float32Array(32);

export const q4_0 = blockFormat({
  name: "q4_0",
  ggmlType: 2,
  blockSize: 32,
  blockBytes: 18,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 18, out += 32) {
      const d = f16At(bytes, at);
      for (let i = 0; i < 32; i++) values[out + i] = d * (nibble(bytes, at + 2, i) - 8);
    }
  },
  encodeBlocks(values, bytes, importance) {
    if (importance !== undefined) {
      eachWeightedRun(values, importance, costs, (from) => {
        const at = (from / 32) * 18;
        storeF16(bytes, at, fitSigned(values, from, 32, 8, costs, codes, 0));
        pack(bytes, at + 2, codes);
      });
      return;
    }
    for (let at = 0, from = 0; from < values.length; at += 18, from += 32) {
      // the weight of largest magnitude lands exactly on code 0, that is -8
      const d = Math.fround(extreme(values, from) / -8);
      const id = inverse(d);
      storeF16(bytes, at, d);
      for (let i = 0; i < 32; i++) codes[i] = truncate(Math.fround(Math.fround(values[from + i] * id) + 8.5), 15);
      pack(bytes, at + 2, codes);
    }
  },
});
