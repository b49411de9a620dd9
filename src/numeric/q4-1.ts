// Q4_1: 32 weights in 20 bytes: f16 scale d, f16 minimum m, 16 bytes of nibbles; w = d * q + m.
import { weightedSearch } from "./affine-blocks.ts";
import { blockFormat, nibble } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { eachWeightedRun } from "./importance.ts";
import { inverse, pack, range, truncate } from "./rounding.ts";
import { fitAffine } from "./search.ts";

const codes = new Uint8Array(32);
const costs = new Float32Array(32);
const search = weightedSearch(15);
const fitted = { scale: new Float32Array(1), minimum: new Float32Array(1) };

export const q4_1 = blockFormat({
  name: "q4_1",
  ggmlType: 3,
  blockSize: 32,
  blockBytes: 20,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 20, out += 32) {
      const d = f16At(bytes, at);
      const m = f16At(bytes, at + 2);
      for (let i = 0; i < 32; i++) values[out + i] = Math.fround(d * nibble(bytes, at + 4, i)) + m;
    }
  },
  encodeBlocks(values, bytes, importance) {
    if (importance !== undefined) {
      eachWeightedRun(values, importance, costs, (from) => {
        const at = (from / 32) * 20;
        fitAffine(values, from, 32, costs, search, codes, 0, fitted.scale, fitted.minimum, 0);
        storeF16(bytes, at, fitted.scale[0]);
        storeF16(bytes, at + 2, -fitted.minimum[0]);
        pack(bytes, at + 4, codes);
      });
      return;
    }
    for (let at = 0, from = 0; from < values.length; at += 20, from += 32) {
      const { min, max } = range(values, from);
      const d = Math.fround(Math.fround(max - min) / 15);
      const id = inverse(d);
      storeF16(bytes, at, d);
      storeF16(bytes, at + 2, min);
      for (let i = 0; i < 32; i++) {
        codes[i] = truncate(Math.fround(Math.fround(Math.fround(values[from + i] - min) * id) + 0.5), 15);
      }
      pack(bytes, at + 4, codes);
    }
  },
});
