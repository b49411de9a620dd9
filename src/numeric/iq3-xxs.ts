// IQ3_XXS: 256 weights in 98 bytes: f16 d, 64 entry numbers (of four weights), eight u32, one a run of 32: four times seven
// signs and a 4-bit scale on top; w = d * (sc + 1/2) / 2 * entry. Read only.
import { blockFormat } from "./block-format.ts";
import { evenSigns, putSigned, u32At } from "./codebook-blocks.ts";
import { iq3xxsCodebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq3_xxs = blockFormat({
  name: "iq3_xxs",
  ggmlType: 18,
  blockSize: 256,
  blockBytes: 98,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 98) {
      const d = f16At(bytes, at);
      for (let g = 0; g < 64; g++, out += 4) {
        const run = u32At(bytes, at + 66 + 4 * (g >> 3));
        const signs = evenSigns[(run >>> (7 * ((g >> 1) & 3))) & 127] >> (4 * (g & 1));
        const scale = Math.fround(d * (0.5 + (run >>> 28))) * 0.5;
        putSigned(values, out, iq3xxsCodebook, 4 * bytes[at + 2 + g], 4, scale, signs);
      }
    }
  },
});
