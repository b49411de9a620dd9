// IQ2_S: 256 weights in 82 bytes: f16 d, 32 bytes of entry numbers, 32 bytes of signs, 8 bytes with the entries' upper bit
// pairs, 16 nibbles of scales, one for 16 weights; w = d * (sc + 1/2) / 4 * entry. Read only.
import { blockFormat } from "./block-format.ts";
import { nibbleAt, putSigned } from "./codebook-blocks.ts";
import { iq2sCodebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq2_s = blockFormat({
  name: "iq2_s",
  ggmlType: 22,
  blockSize: 256,
  blockBytes: 82,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 82) {
      const d = f16At(bytes, at);
      for (let g = 0; g < 32; g++, out += 8) {
        const entry = bytes[at + 2 + g] | (((bytes[at + 66 + (g >> 2)] >> (2 * (g & 3))) & 3) << 8);
        const scale = Math.fround(d * (0.5 + nibbleAt(bytes, at + 74, g >> 1))) * 0.25;
        putSigned(values, out, iq2sCodebook, 8 * entry, 8, scale, bytes[at + 34 + g]);
      }
    }
  },
});
