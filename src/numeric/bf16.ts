// bfloat16: the upper half of an f32 (1 sign, 8 exponent, 7 fraction bits). Scalar conversions, and the format.
import { blockFormat } from "./block-format.ts";

const floatBits = new Float32Array(1);
const floatWords = new Uint32Array(floatBits.buffer);

/** The bf16 nearest to the f32 `value`, ties to even, as bits; NaN stays a quiet NaN. */
export function bf16Bits(value: number): number {
  floatBits[0] = value;
  const bits = floatWords[0];
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40; // 0x40: quiet, and no NaN is rounded to infinity
  const tieToEven = 0x7fff + ((bits >>> 16) & 1);
  return (bits + tieToEven) >>> 16;
}

/** The value of bf16 `bits`, exact. */
export function bf16Value(bits: number): number {
  floatWords[0] = bits << 16;
  return floatBits[0];
}

export const bf16 = blockFormat({
  name: "bf16",
  ggmlType: 30,
  blockSize: 1,
  blockBytes: 2,
  decodeBlocks(bytes, values) {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < values.length; i++) words[i] = (bytes[2 * i] << 16) | (bytes[2 * i + 1] << 24);
  },
  encodeBlocks(values, bytes) {
    for (let i = 0; i < values.length; i++) {
      const bits = bf16Bits(values[i]);
      bytes[2 * i] = bits & 255;
      bytes[2 * i + 1] = bits >> 8;
    }
  },
});
