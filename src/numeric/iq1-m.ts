// IQ1_M: 256 weights in 56 bytes: 32 bytes of entry numbers, 32 nibbles with their upper three bits and whether 1/8 is added
// or taken, four u16 with four 3-bit scales each, one for 16 weights; their upper nibbles together are the f16 d;
// w = d * (2 * sc + 1) * (entry +- 1/8). Read only.
import { blockFormat } from "./block-format.ts";
import { IQ1_DELTA, nibbleAt, putShifted, u16At } from "./codebook-blocks.ts";
import { iq1Codebook } from "./codebooks.ts";
import { f16Value } from "./f16.ts";

export const iq1_m = blockFormat({
  name: "iq1_m",
  ggmlType: 29,
  blockSize: 256,
  blockBytes: 56,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 56) {
      let bits = 0;
      for (let i = 0; i < 4; i++) bits |= (u16At(bytes, at + 48 + 2 * i) >> 12) << (4 * i);
      const d = f16Value(bits);
      for (let g = 0; g < 32; g++, out += 8) {
        const high = nibbleAt(bytes, at + 32, g);
        const code = (u16At(bytes, at + 48 + 2 * (g >> 3)) >> (3 * ((g >> 1) & 3))) & 7;
        const entry = bytes[at + g] | ((high & 7) << 8);
        const scale = Math.fround(d * (2 * code + 1));
        putShifted(values, out, iq1Codebook, 8 * entry, scale, high & 8 ? -IQ1_DELTA : IQ1_DELTA);
      }
    }
  },
});
