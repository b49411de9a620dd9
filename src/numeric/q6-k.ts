// Q6_K: 256 weights in 210 bytes: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales of
// sub-blocks of 16, f16 d; w = (d * sc) * (q - 32). Each half of 128 weights is four runs of 32: runs 0 and 1 in the
// low nibbles of 64 bytes, 2 and 3 in the high ones; run r's upper bits are pair r of 32 bytes.
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { LEAST, nearest, nearestInside } from "./search.ts";

const f32 = Math.fround;

export const q6_k = blockFormat({
  name: "q6_k",
  ggmlType: 14,
  blockSize: 256,
  blockBytes: 210,
  asked: [{ run: 16, half: 32 }],
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
  encodeBlocks(values, bytes, importance, searches) {
    const costs =
      importance === undefined ? values.map((x) => x * x) : values.map((_, i) => importance[i % importance.length]);
    const { scales, codes } = searches.signed(values, costs, 16, 32);
    for (let at = 0, from = 0; from < values.length; at += 210, from += 256) {
      const ofScales = scales.subarray(from / 16, from / 16 + 16);
      encodeBlock(values.subarray(from), ofScales, codes.subarray(from, from + 256), bytes, at);
    }
  },
});

/**
 * Stores a block by the scales and codes that were found for its runs; codes are rounded once more. Source: ggml-quants.c,
 * quantize_row_q6_K_impl.
 */
function encodeBlock(x: Float32Array, scales: Float32Array, codes: Uint8Array, bytes: Uint8Array, at: number): void {
  let largest = 0;
  for (const scale of scales) if (Math.abs(scale) > Math.abs(largest)) largest = scale;
  if (Math.abs(largest) < LEAST) return;
  const inverse = f32(-128 / largest);
  storeF16(bytes, at + 208, f32(1 / inverse));
  const d = f16At(bytes, at + 208);
  for (let j = 0; j < 16; j++) {
    const code = Math.min(127, nearest(f32(inverse * scales[j])));
    bytes[at + 192 + j] = code;
    const scale = f32(d * code);
    if (scale === 0) continue;
    for (let i = 16 * j; i < 16 * (j + 1); i++) codes[i] = nearestInside(f32(x[i] / scale), -32, 31) + 32;
  }
  packQ6(bytes, at, codes);
}

/** Stores 256 codes (0..63) in 192 zeroed bytes at `at`. */
export function packQ6(bytes: Uint8Array, at: number, codes: Uint8Array): void {
  for (let i = 0; i < 256; i++) {
    const half = i >> 7;
    const run = (i >> 5) & 3;
    bytes[at + 64 * half + (i & 63)] |= (codes[i] & 15) << (run & 2 ? 4 : 0);
    bytes[at + 128 + 32 * half + (i & 31)] |= (codes[i] >> 4) << (2 * run);
  }
}
