// Q5_K: 256 weights in 176 bytes: as Q4_K, with 32 bytes of fifth bits before the nibbles (bit j of byte i belongs to
// weight i of sub-block j); w = (d * sc) * q - dmin * m.
import { type AffineSearches, encodeAffineBlocks, weightedSearch } from "./affine-blocks.ts";
import { blockFormat } from "./block-format.ts";
import { f16At } from "./f16.ts";
import { subMinimum, subScale } from "./k-scales.ts";

const trials: AffineSearches = {
  plain: { most: 31, first: -0.5, step: Math.fround(0.1), steps: 15 },
  weighted: weightedSearch(31),
};

export const q5_k = blockFormat({
  name: "q5_k",
  ggmlType: 13,
  blockSize: 256,
  blockBytes: 176,
  asked: Object.values(trials).map((affine) => ({ run: 32, affine })),
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 176) {
      const d = f16At(bytes, at);
      const dmin = f16At(bytes, at + 2);
      for (let j = 0; j < 8; j++) {
        const scale = Math.fround(d * subScale(bytes, at + 4, j));
        const minimum = Math.fround(dmin * subMinimum(bytes, at + 4, j));
        const codes = at + 48 + 32 * (j >> 1);
        const shift = 4 * (j & 1);
        for (let i = 0; i < 32; i++) {
          const code = ((bytes[codes + i] >> shift) & 15) | (((bytes[at + 16 + i] >> j) & 1) << 4);
          values[out++] = Math.fround(scale * code) - minimum;
        }
      }
    }
  },
  encodeBlocks(x, bytes, importance, searches) {
    encodeAffineBlocks({ x, importance, bytes, blockBytes: 176 }, trials, searches, (at, codes) => {
      for (let i = 0; i < 256; i++) bytes[at + 16 + (i & 31)] |= (codes[i] >> 4) << (i >> 5);
      for (let j = 0; j < 4; j++) {
        for (let i = 0; i < 32; i++) {
          bytes[at + 48 + 32 * j + i] = (codes[64 * j + i] & 15) | ((codes[64 * j + 32 + i] & 15) << 4);
        }
      }
    });
  },
});
