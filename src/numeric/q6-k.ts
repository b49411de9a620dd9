// Q6_K: 256 weights in 210 bytes: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales of
// sub-blocks of 16, f16 d; w = (d * sc) * (q - 32). Each half of 128 weights is four runs of 32: runs 0 and 1 in the
// low nibbles of 64 bytes, 2 and 3 in the high ones; run r's upper bits are pair r of 32 bytes.
import { blockFormat } from "./block-format.ts";
import { f16At } from "./f16.ts";

export const q6_k = blockFormat({
  name: "q6_k",
  ggmlType: 14,
  blockSize: 256,
  blockBytes: 210,
  decodeBlocks(bytes, values) {
    const scales = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, out = 0; out < values.length; at += 210, out += 256) {
      const d = f16At(bytes, at + 208);
      for (let i = 0; i < 256; i++) {
        const half = i >> 7;
        const run = (i >> 5) & 3;
        const low = (bytes[at + 64 * half + (i & 63)] >> (run & 2 ? 4 : 0)) & 15;
        const high = (bytes[at + 128 + 32 * half + (i & 31)] >> (2 * run)) & 3;
        const scale = Math.fround(d * scales[at + 192 + (i >> 4)]);
        values[out + i] = scale * ((low | (high << 4)) - 32);
      }
    }
  },
});
