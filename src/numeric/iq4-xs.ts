// IQ4_XS: 256 weights in 136 bytes: f16 d, 16 bits with the upper bit pairs of eight scales, 4 bytes with their low
// nibbles, 128 bytes of nibbles, 16 for each run of 32; w = d * (sc - 32) * levels[q].
import { blockFormat, nibble } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { sumOfSquares } from "./importance.ts";
import { fitLevels, levels, nearestLevel } from "./iq4-levels.ts";
import { inverse, pack } from "./rounding.ts";
import { nearestInside } from "./search.ts";

const f32 = Math.fround;
const codes = new Uint8Array(32);
const scales = new Float32Array(8);

export const iq4_xs = blockFormat({
  name: "iq4_xs",
  ggmlType: 23,
  blockSize: 256,
  blockBytes: 136,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 136) {
      const d = f16At(bytes, at);
      for (let j = 0; j < 8; j++) {
        const low = (bytes[at + 4 + (j >> 1)] >> (4 * (j & 1))) & 15;
        const high = (bytes[at + 2 + (j >> 2)] >> (2 * (j & 3))) & 3;
        const scale = f32(d * ((low | (high << 4)) - 32));
        for (let i = 0; i < 32; i++) values[out++] = scale * levels[nibble(bytes, at + 8 + 16 * j, i)];
      }
    }
  },
  encodeBlocks(values, bytes, importance) {
    for (let at = 0, from = 0; from < values.length; at += 136, from += 256) {
      const meanSquare = f32(sumOfSquares(values, from, 256) * f32(2 / 256));
      let largest = 0;
      for (let j = 0; j < 8; j++) {
        scales[j] = fitLevels(values, from + 32 * j, importance, meanSquare);
        if (Math.abs(scales[j]) > Math.abs(largest)) largest = scales[j];
      }
      const d = f32(-largest / 32);
      const id = inverse(d);
      storeF16(bytes, at, d);
      for (let j = 0; j < 8; j++) {
        const scale = nearestInside(f32(id * scales[j]), -32, 31);
        bytes[at + 4 + (j >> 1)] |= ((scale + 32) & 15) << (4 * (j & 1));
        bytes[at + 2 + (j >> 2)] |= ((scale + 32) >> 4) << (2 * (j & 3));
        const run = inverse(f32(d * scale));
        for (let i = 0; i < 32; i++) codes[i] = nearestLevel(f32(run * values[from + 32 * j + i]));
        pack(bytes, at + 8 + 16 * j, codes);
      }
    }
  },
});
