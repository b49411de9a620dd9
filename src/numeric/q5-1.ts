// Q5_1: 32 weights in 24 bytes: f16 scale d, f16 minimum m, the fifth bits (u32), 16 bytes of nibbles; w = d * q + m.
import { weightedSearch } from "./affine-blocks.ts";
import { blockFormat } from "./block-format.ts";
import { fiveBits, packFive } from "./five-bits.ts";
import { f16At, storeF16 } from "./f16.ts";
import { eachWeightedRun } from "./importance.ts";
import { inverse, range, truncate } from "./rounding.ts";
import { fitAffine } from "./search.ts";

const codes = new Uint8Array(32);
const costs = new Float32Array(32);
const search = weightedSearch(31);
const fitted = { scale: new Float32Array(1), minimum: new Float32Array(1) };

export const q5_1 = blockFormat({
  name: "q5_1",
  ggmlType: 7,
  blockSize: 32,
  blockBytes: 24,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 24, out += 32) {
      const d = f16At(bytes, at);
      const m = f16At(bytes, at + 2);
      for (let i = 0; i < 32; i++) values[out + i] = Math.fround(d * fiveBits(bytes, at + 4, i)) + m;
    }
  },
  encodeBlocks(values, bytes, importance) {
    if (importance !== undefined) {
      eachWeightedRun(values, importance, costs, (from) => {
        const at = (from / 32) * 24;
        fitAffine(values, from, 32, costs, search, codes, 0, fitted.scale, fitted.minimum, 0);
        storeF16(bytes, at, fitted.scale[0]);
        storeF16(bytes, at + 2, -fitted.minimum[0]);
        packFive(bytes, at + 4, codes);
      });
      return;
    }
    for (let at = 0, from = 0; from < values.length; at += 24, from += 32) {
      const { min, max } = range(values, from);
      const d = Math.fround(Math.fround(max - min) / 31);
      const id = inverse(d);
      storeF16(bytes, at, d);
      storeF16(bytes, at + 2, min);
      for (let i = 0; i < 32; i++) {
        codes[i] = truncate(Math.fround(Math.fround(Math.fround(values[from + i] - min) * id) + 0.5), 31);
      }
      packFive(bytes, at + 4, codes);
    }
  },
});
