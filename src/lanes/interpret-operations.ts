// What the interpreter's operations do with numbers, each lane alone, and with tiles. f32 arithmetic is f64 arithmetic rounded
// once, which for + - * / and sqrt is the same as f32 arithmetic (Figueroa 1995, "When is double rounding innocuous?").
import { type Machine, type OperationName, TABLE_BYTES } from "./ir.ts";

export const TILE_ROWS = 16;
/** 32-bit words of a tile's row. */
export const TILE_WORDS = 16;

const { fround, imul } = Math;
const words = new Int32Array(1);
const asFloat = new Float32Array(words.buffer);
const bitsOf = (x: number): number => ((asFloat[0] = x), words[0]);
const floatOf = (x: number): number => ((words[0] = x), asFloat[0]);
const truncate = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)));
const nearest = (x: number): number => {
  if (!(Math.abs(x) < 2 ** 23)) return x;
  const rounded = x > 0 ? x + 2 ** 52 - 2 ** 52 : x - 2 ** 52 + 2 ** 52; // f64 rounds ties to even there
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
};
const low = (x: number): number => (x << 16) >> 16;
const high = (x: number): number => x >> 16;
const halves = (x: number, f: (half: number) => number): number => (f(low(x)) & 0xffff) | (f(high(x)) << 16);
/** A word of four bytes, the low one first. */
export const joinBytes = (at: (i: number) => number): number => at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24);
const signedByte = (x: number, i: number): number => (x << (24 - 8 * i)) >> 24;
export const byte = (x: number, i: number): number => (x >>> (8 * i)) & 255;

const double = new Float64Array(1);
/** Its low and high halves: this runs on little-endian hosts only, as all of Liang. */
const doubleWords = new Uint32Array(double.buffer);

/** a * b + c rounded once to f32: the product is exact in f64, its sum with c is rounded to odd, then to f32. */
export function fusedMadd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return fround(sum);
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0) return fround(sum);
  double[0] = sum;
  const low = doubleWords[0];
  if ((low & 1) === 1) return fround(sum);
  // The exact sum lies between `sum` and its neighbour on the error's side: take the odd one of the two.
  if (error > 0 === sum > 0) doubleWords[0] = low + 1;
  else {
    doubleWords[0] = low - 1; // wraps
    if (low === 0) doubleWords[1] -= 1;
  }
  return fround(double[0]);
}

/** The bits of a number rounded to bf16, to nearest even; what is subnormal counts as zero (as VCVTNE2PS2BF16). */
function bf16Bits(x: number): number {
  const bits = bitsOf(x);
  if (Number.isNaN(x)) return (bits >>> 16) | 0x40;
  if ((bits & 0x7f800000) === 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) + Number((bits & 0xffff) + ((bits >>> 16) & 1) > 0x8000)) & 0xffff;
}

const bf16Value = (bits: number): number => {
  const value = floatOf(bits << 16);
  return (bits & 0x7f80) === 0 ? value * 0 : value;
};

/** The bf16 numbers of a tile, as they take part in products. */
const valuesOf = (tile: Int32Array, shift: 0 | 16): Float32Array =>
  Float32Array.from(tile, (word) => bf16Value((word >>> shift) & 0xffff));

/**
 * TDPBF16PS (Intel SDM): the even and the odd products of a pair are summed in chains of their own over k, each product
 * and sum rounded once, then both chains are added to the sums. Subnormal results count as zero.
 */
export function dotTiles(sums: Int32Array, a: Int32Array, b: Int32Array): void {
  const [evenA, oddA, evenB, oddB] = [valuesOf(a, 0), valuesOf(a, 16), valuesOf(b, 0), valuesOf(b, 16)];
  for (let row = 0; row < TILE_ROWS; row++) {
    for (let column = 0; column < TILE_WORDS; column++) {
      let [even, odd] = [0, 0];
      for (let k = 0; k < TILE_WORDS; k++) {
        const [i, j] = [row * TILE_WORDS + k, k * TILE_WORDS + column];
        even = flush(fusedMadd(evenA[i], evenB[j], even));
        odd = flush(fusedMadd(oddA[i], oddB[j], odd));
      }
      const at = row * TILE_WORDS + column;
      sums[at] = bitsOf(flush(fround(flush(floatOf(sums[at])) + flush(fround(even + odd)))));
    }
  }
}

const LEAST_NORMAL = 2 ** -126;
const flush = (x: number): number => (Math.abs(x) < LEAST_NORMAL ? x * 0 : x);

/** A byte of which dotPairs promises that it has 7 bits. */
function sevenBits(x: number, i: number): number {
  if (byte(x, i) > 127) throw new RangeError(`dotPairs: ${byte(x, i)} needs 8 bits`);
  return byte(x, i);
}

/** A byte of which lookups promise that it is the number of a table's. */
export function fourBits(x: number, i: number): number {
  if (byte(x, i) >= TABLE_BYTES) throw new RangeError(`lookup: ${byte(x, i)} is no byte of a table`);
  return byte(x, i);
}

/** Operations that work on each number (or lane) alone, shared by scalars and registers. */
export const elementwise: Partial<Record<OperationName, (a: number, b: number, c: number) => number>> = {
  "int.add": (a, b) => (a + b) | 0,
  "int.sub": (a, b) => (a - b) | 0,
  "int.mul": imul,
  "int.divU": (a, b) => ((a >>> 0) / (b >>> 0)) | 0,
  "int.remU": (a, b) => ((a >>> 0) % (b >>> 0)) | 0,
  "int.and": (a, b) => a & b,
  "int.or": (a, b) => a | b,
  "int.xor": (a, b) => a ^ b,
  "int.shl": (a, b) => a << b,
  "int.shrU": (a, b) => (a >>> b) | 0,
  "int.eq": (a, b) => Number(a === b),
  "int.ltS": (a, b) => Number(a < b),
  "int.select": (a, b, c) => (a === 0 ? c : b),
  "int.bits": bitsOf,
  "int.fromFloat": truncate,
  "float.add": (a, b) => fround(a + b),
  "float.sub": (a, b) => fround(a - b),
  "float.mul": (a, b) => fround(a * b),
  "float.div": (a, b) => fround(a / b),
  "float.sqrt": (a) => fround(Math.sqrt(a)),
  "float.lt": (a, b) => Number(a < b),
  "float.select": (a, b, c) => (a === 0 ? c : b),
  "float.fromInt": (a) => fround(a),
  "float.bits": floatOf,
  "ints.add": (a, b) => (a + b) | 0,
  "ints.sub": (a, b) => (a - b) | 0,
  "ints.mul": imul,
  "ints.and": (a, b) => a & b,
  "ints.or": (a, b) => a | b,
  "ints.xor": (a, b) => a ^ b,
  "ints.eq": (a, b) => -Number(a === b),
  "ints.gtS": (a, b) => -Number(a > b),
  "ints.select": (a, b, c) => (a & b) | (~a & c),
  "ints.addHalves": (a, b) => ((a + b) & 0xffff) | ((high(a) + high(b)) << 16),
  "ints.dotPairs": (a, b) => {
    const pair = (i: number): number => signedByte(a, i) * sevenBits(b, i) + signedByte(a, i + 1) * sevenBits(b, i + 1);
    return (pair(0) & 0xffff) | (pair(2) << 16);
  },
  "ints.dotHalves": (a, b) => (low(a) * low(b) + high(a) * high(b)) | 0,
  "ints.bits": bitsOf,
  "ints.fromFloats": truncate,
  "floats.add": (a, b) => fround(a + b),
  "floats.sub": (a, b) => fround(a - b),
  "floats.mul": (a, b) => fround(a * b),
  "floats.div": (a, b) => fround(a / b),
  "floats.min": (a, b) => (b < a ? b : a),
  "floats.max": (a, b) => (a < b ? b : a),
  "floats.sqrt": (a) => fround(Math.sqrt(a)),
  "floats.abs": Math.abs,
  "floats.neg": (a) => -a,
  "floats.nearest": nearest,
  "floats.lt": (a, b) => -Number(a < b),
  "floats.select": (mask, b, c) => floatOf((mask & bitsOf(b)) | (~mask & bitsOf(c))),
  "floats.fromInts": (a) => fround(a),
  "floats.bits": floatOf,
  "ints.pairBf16": (a, b) => bf16Bits(a) | (bf16Bits(b) << 16),
};

/** The same with an immediate. */
export const withImmediate: Partial<Record<OperationName, (a: number, immediate: number) => number>> = {
  "ints.shl": (a, bits) => a << bits,
  "ints.shrU": (a, bits) => (a >>> bits) | 0,
  "ints.shrS": (a, bits) => a >> bits,
  "ints.shlHalves": (a, bits) => halves(a, (half) => half << bits),
  "ints.shrSHalves": (a, bits) => halves(a, (half) => half >> bits),
  "ints.shrUHalves": (a, bits) => halves(a, (half) => (half & 0xffff) >>> bits),
};

/** A product and a sum, as the machine rounds them. */
export const maddOf = ({ madd }: Machine) =>
  madd === "fused" ? fusedMadd : (a: number, b: number, c: number) => fround(fround(a * b) + c);

export const dotBytesOf =
  ({ dot }: Machine) =>
  (sum: number, x: number, w: number): number => {
    for (let i = 0; i < 4; i++) {
      if (dot === "i7" && byte(w, i) > 127) throw new RangeError(`dotBytes: ${byte(w, i)} needs 8 bits`);
      sum = (sum + signedByte(x, i) * byte(w, i)) | 0;
    }
    return sum;
  };
