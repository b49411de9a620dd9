// Q4_K: 256 weights in 144 bytes: f16 d, f16 dmin, 12 bytes of 6-bit scales and minima of eight sub-blocks of 32, 128
// bytes of nibbles (32 bytes hold sub-block 2k in the low and 2k+1 in the high nibbles); w = (d * sc) * q - dmin * m.
import { type AffineSearches, encodeAffineBlocks, weightedSearch } from "./affine-blocks.ts";
import { blockFormat } from "./block-format.ts";
import { f16At } from "./f16.ts";
import { subMinimum, subScale } from "./k-scales.ts";

const trials: AffineSearches = {
  plain: { most: 15, first: -1, step: Math.fround(0.1), steps: 20 },
  weighted: weightedSearch(15),
};

export const q4_k = blockFormat({
  name: "q4_k",
  ggmlType: 12,
  blockSize: 256,
  blockBytes: 144,
  asked: Object.values(trials).map((affine) => ({ run: 32, affine })),
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 144) {
      const d = f16At(bytes, at);
      const dmin = f16At(bytes, at + 2);
      for (let j = 0; j < 8; j++) {
        const scale = Math.fround(d * subScale(bytes, at + 4, j));
        const minimum = Math.fround(dmin * subMinimum(bytes, at + 4, j));
        const codes = at + 16 + 32 * (j >> 1);
        const shift = 4 * (j & 1);
        for (let i = 0; i < 32; i++) values[out++] = Math.fround(scale * ((bytes[codes + i] >> shift) & 15)) - minimum;
      }
    }
  },
  encodeBlocks(x, bytes, importance, searches) {
    encodeAffineBlocks({ x, importance, bytes, blockBytes: 144 }, trials, searches, (at, codes) => {
      for (let j = 0; j < 4; j++) {
        for (let i = 0; i < 32; i++) {
          bytes[at + 16 + 32 * j + i] = codes[64 * j + i] | (codes[64 * j + 32 + i] << 4);
        }
      }
    });
  },
});
