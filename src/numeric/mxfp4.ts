// MXFP4 (OCP microscaling): 32 weights in 17 bytes: a power of two e (biased by 127), 16 bytes of nibbles, each a
// four-bit float; w = 2^(e - 127) * float.
import { blockFormat, nibble } from "./block-format.ts";
import { fp4Levels, nearestFp4 } from "./fp4-levels.ts";
import { extreme, pack } from "./rounding.ts";

const codes = new Uint8Array(32);

/** Half the block's scale: levels are twice as large. */
const halfScale = (e: number): number => 2 ** (e - 128);

export const mxfp4 = blockFormat({
  name: "mxfp4",
  ggmlType: 39,
  blockSize: 32,
  blockBytes: 17,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 17, out += 32) {
      const d = halfScale(bytes[at]);
      for (let i = 0; i < 32; i++) values[out + i] = d * fp4Levels[nibble(bytes, at + 1, i)];
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 17, from += 32) {
      const size = Math.abs(extreme(values, from));
      // the largest float is 6, so the scale is two powers of two below the largest weight
      bytes[at] = size > 0 ? Math.max(0, exponentOf(size) - 2 + 127) : 0;
      const d = halfScale(bytes[at]);
      for (let i = 0; i < 32; i++) codes[i] = nearestFp4(values[from + i], d);
      pack(bytes, at + 1, codes);
    }
  },
});

/** The power of two at or below an f32 above zero. */
function exponentOf(size: number): number {
  const rough = Math.floor(Math.log2(size));
  return 2 ** rough > size ? rough - 1 : 2 ** (rough + 1) <= size ? rough + 1 : rough;
}
