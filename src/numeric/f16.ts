// IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. Scalar conversions, and the format of f16 weights.
// Rounding is to nearest, ties to even, in one step from f64 (so from f32 too).
import { blockFormat } from "./block-format.ts";

const doubleBits = new Float64Array(1);
const doubleWords = new Uint32Array(doubleBits.buffer);
const ROUND_TO_INTEGER = 2 ** 52; // adding and taking it away rounds a double below 2^51 to an integer, ties to even

/** The largest finite f16. */
export const F16_MOST = 65504;

/** The f16 nearest to `value`, as bits; NaN gives 0x7e00, 65520 and more give infinity. */
export function f16Bits(value: number): number {
  doubleBits[0] = value;
  const high = doubleWords[1];
  const sign = (high >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00; // half-way between the largest f16 and the next power of two
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  if (exponent < -14) return sign | roundToInteger(size * 2 ** 24); // subnormal: units of 2^-24
  // in units of the last place the fraction is 1024..2048; 2048 carries into the exponent, as it should
  return sign | (((exponent + 14) << 10) + roundToInteger(size * 2 ** (10 - exponent)));
}

/** The value of f16 `bits`, exact. */
export function f16Value(bits: number): number {
  return f16Values[bits];
}

/** The f16 stored at byte `at`. */
export const f16At = (bytes: Uint8Array, at: number): number => f16Values[bytes[at] | (bytes[at + 1] << 8)];

/** Stores the f16 nearest to `value` at byte `at`. */
export function storeF16(bytes: Uint8Array, at: number, value: number): void {
  const bits = f16Bits(value);
  bytes[at] = bits & 255;
  bytes[at + 1] = bits >> 8;
}

function roundToInteger(size: number): number {
  return size + ROUND_TO_INTEGER - ROUND_TO_INTEGER;
}

// all 65536 values: every block format looks its scales up here
const allBits = new Uint16Array(65536);
for (let bits = 0; bits < allBits.length; bits++) allBits[bits] = bits;
const f16Values = new Float32Array(new Float16Array(allBits.buffer));

export const f16 = blockFormat({
  name: "f16",
  ggmlType: 1,
  blockSize: 1,
  blockBytes: 2,
  decodeBlocks(bytes, values) {
    for (let i = 0; i < values.length; i++) values[i] = f16At(bytes, 2 * i);
  },
  encodeBlocks(values, bytes) {
    for (let i = 0; i < values.length; i++) storeF16(bytes, 2 * i, values[i]);
  },
});
