// IQ4_NL: 32 weights in 18 bytes: f16 scale d, 16 bytes of nibbles; w = d * levels[q].
import { blockFormat, nibble } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { sumOfSquares } from "./importance.ts";
import { fitLevels, levels, nearestLevel } from "./iq4-levels.ts";
import { inverse, pack } from "./rounding.ts";

const codes = new Uint8Array(32);

export const iq4_nl = blockFormat({
  name: "iq4_nl",
  ggmlType: 20,
  blockSize: 32,
  blockBytes: 18,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 18, out += 32) {
      const d = f16At(bytes, at);
      for (let i = 0; i < 32; i++) values[out + i] = d * levels[nibble(bytes, at + 2, i)];
    }
  },
  encodeBlocks(values, bytes, importance) {
    for (let at = 0, from = 0; from < values.length; at += 18, from += 32) {
      const meanSquare = Math.fround(sumOfSquares(values, from, 32) * Math.fround(2 / 32));
      const scale = fitLevels(values, from, importance, meanSquare);
      const id = inverse(scale);
      storeF16(bytes, at, scale);
      for (let i = 0; i < 32; i++) codes[i] = nearestLevel(Math.fround(id * values[from + i]));
      pack(bytes, at + 2, codes);
    }
  },
});
