// IQ2_XS: 256 weights in 74 bytes: f16 d, 32 u16 with an entry number of nine bits and seven signs, 16 nibbles of scales,
// one for 16 weights; w = d * (sc + 1/2) / 4 * entry. Read only.
import { blockFormat } from "./block-format.ts";
import { evenSigns, nibbleAt, putSigned, u16At } from "./codebook-blocks.ts";
import { iq2xsCodebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq2_xs = blockFormat({
  name: "iq2_xs",
  ggmlType: 17,
  blockSize: 256,
  blockBytes: 74,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 74) {
      const d = f16At(bytes, at);
      for (let g = 0; g < 32; g++, out += 8) {
        const code = u16At(bytes, at + 2 + 2 * g);
        const scale = Math.fround(d * (0.5 + nibbleAt(bytes, at + 66, g >> 1))) * 0.25;
        putSigned(values, out, iq2xsCodebook, 8 * (code & 511), 8, scale, evenSigns[code >> 9]);
      }
    }
  },
});
