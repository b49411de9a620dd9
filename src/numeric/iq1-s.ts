// IQ1_S: 256 weights in 50 bytes: f16 d, 32 bytes of entry numbers, eight u16, one a run of 32: the upper three bits of its
// four entries, a 3-bit scale, and whether 1/8 is added or taken; w = d * (2 * sc + 1) * (entry +- 1/8). Read only.
import { blockFormat } from "./block-format.ts";
import { IQ1_DELTA, putShifted, u16At } from "./codebook-blocks.ts";
import { iq1Codebook } from "./codebooks.ts";
import { f16At } from "./f16.ts";

export const iq1_s = blockFormat({
  name: "iq1_s",
  ggmlType: 19,
  blockSize: 256,
  blockBytes: 50,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 50) {
      const d = f16At(bytes, at);
      for (let j = 0; j < 8; j++) {
        const run = u16At(bytes, at + 34 + 2 * j);
        const scale = Math.fround(d * (2 * ((run >> 12) & 7) + 1));
        const delta = run & 0x8000 ? -IQ1_DELTA : IQ1_DELTA;
        for (let l = 0; l < 4; l++, out += 8) {
          const entry = bytes[at + 2 + 4 * j + l] | (((run >> (3 * l)) & 7) << 8);
          putShifted(values, out, iq1Codebook, 8 * entry, scale, delta);
        }
      }
    }
  },
});
