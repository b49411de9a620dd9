// IQ3_S: 256 weights in 110 bytes: f16 d, 64 entry numbers (of four weights), 8 bytes with their ninth bits, 32 bytes of
// signs, 8 nibbles of scales, one a run of 32; w = d * (2 * sc + 1) * entry. Read only.
import { blockFormat } from "./block-format.ts";
import { nibbleAt, putSigned } from "./codebook-blocks.ts";
import { iq3sCodebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq3_s = blockFormat({
  name: "iq3_s",
  ggmlType: 21,
  blockSize: 256,
  blockBytes: 110,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 110) {
      const d = f16At(bytes, at);
      for (let g = 0; g < 64; g++, out += 4) {
        const entry = bytes[at + 2 + g] | (((bytes[at + 66 + (g >> 3)] >> (g & 7)) & 1) << 8);
        const scale = Math.fround(d * (2 * nibbleAt(bytes, at + 106, g >> 3) + 1));
        putSigned(values, out, iq3sCodebook, 4 * entry, 4, scale, bytes[at + 74 + (g >> 1)] >> (4 * (g & 1)));
      }
    }
  },
});
