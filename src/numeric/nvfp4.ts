// NVFP4: 64 weights in 36 bytes: for each run of 16 a scale as an unsigned eight-bit float (4 exponent, 3 fraction bits),
// then 8 bytes of nibbles a run, each a four-bit float. Read only.
import { blockFormat } from "./block-format.ts";
import { fp4Levels } from "./fp4-levels.ts";

/** Half the scale: levels are twice as large. 0x7f stands for no number, and counts as zero. */
function halfScale(code: number): number {
  if (code === 0x7f) return 0;
  const exponent = (code >> 3) & 15;
  const fraction = code & 7;
  return (exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7)) / 2;
}

export const nvfp4 = blockFormat({
  name: "nvfp4",
  ggmlType: 40,
  blockSize: 64,
  blockBytes: 36,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 36, out += 64) {
      for (let i = 0; i < 64; i++) {
        const run = i >> 4;
        const byte = bytes[at + 4 + 8 * run + (i & 7)];
        values[out + i] = halfScale(bytes[at + run]) * fp4Levels[i & 8 ? byte >> 4 : byte & 15];
      }
    }
  },
});
