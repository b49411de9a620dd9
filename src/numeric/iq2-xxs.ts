// IQ2_XXS: 256 weights in 66 bytes: f16 d, and for each run of 32 four entry numbers and a u32 with four times seven signs
// and a 4-bit scale on top; w = d * (sc + 1/2) / 4 * entry. Read only.
import { blockFormat } from "./block-format.ts";
import { evenSigns, putSigned, u32At } from "./codebook-blocks.ts";
import { iq2xxsCodebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq2_xxs = blockFormat({
  name: "iq2_xxs",
  ggmlType: 16,
  blockSize: 256,
  blockBytes: 66,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 66) {
      const d = f16At(bytes, at);
      for (let j = 0; j < 8; j++) {
        const run = u32At(bytes, at + 6 + 8 * j);
        const scale = Math.fround(d * (0.5 + (run >>> 28))) * 0.25;
        for (let l = 0; l < 4; l++, out += 8) {
          const signs = evenSigns[(run >>> (7 * l)) & 127];
          putSigned(values, out, iq2xxsCodebook, 8 * bytes[at + 2 + 8 * j + l], 8, scale, signs);
        }
      }
    }
  },
});
