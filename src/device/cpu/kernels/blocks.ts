// Reading a packed block of a quantized format: for W neighbouring rows, the unsigned bytes of four columns at a time and
// what turns them into weights: weight = d * scale * (byte - zero) - dmin * min, or + m. Codes that stand for levels of a
// table become bytes by looking them up. One row a format; every kernel over quantized weights is written against this.
import { fp4Levels } from "../../../numeric/fp4-levels.ts";
import { levels as iq4Levels } from "../../../numeric/iq4-levels.ts";
import { type Floats, type Int, type Ints, type KernelBuilder } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, fieldOffsets, layouts } from "../packed-layouts.ts";

/** Columns that one lane's 32-bit unit covers. */
export const QUAD = 4;

/** Bits of a nibble: what high nibbles that stay in their place are shifted by. */
export const NIBBLE = 4;

/** What the W rows of one block hold. Calls emit their loads where they stand; what scales share is kept. */
export interface Block {
  /** Factor of every weight. */
  d(): Floats;
  /** Integer factor of the columns of a sub-block; absent: 1. */
  readonly scale?: (sub: number) => Ints;
  /** Taken away from the weights of a sub-block: `factor() * min(sub)`. */
  readonly lower?: { factor(): Floats; min(sub: number): Ints };
  /** Added to every weight. */
  readonly plus?: () => Floats;
  /** Unsigned bytes of columns 4t..4t+3, times 2^`shift(t)`. */
  quad(t: number): Ints;
  shift(t: number): 0 | typeof NIBBLE;
  /** The low nibbles of bytes of 8 bits, and the high ones, where they come cheaper than of `quad`. */
  readonly planes?: readonly ((t: number) => Ints)[];
}

export interface QuantizedFormat {
  readonly columns: 32 | 256;
  /** Columns of a sub-block: those that share a scale. */
  readonly subColumns: 32 | 16;
  /** Taken away from every byte. */
  readonly zero: number;
  /** Bits of a byte that is not shifted. */
  readonly bits: 7 | 8;
  /** The largest of them. */
  readonly most: number;
  /**
   * Quads in an order in which neighbours share what they load, in runs: those of a run belong to sub-blocks that no
   * other run meets, so that only their sums are kept at a time.
   */
  readonly runs: readonly (readonly number[])[];
  /**
   * Opens W rows of a block: `at` + `offset` is the block's address plus four bytes for each of the `before` rows of the
   * group before them.
   */
  open(k: KernelBuilder, at: Int, before: Int, offset?: number): Block;
}

export type QuantizedName = Exclude<PackedFormat, "f32" | "f16" | "bf16">;

type Fields = Readonly<Record<string, { scale(): Floats; word(unit: number): Ints; byte(): Ints }>>;

function format(
  name: QuantizedName,
  facts: Pick<QuantizedFormat, "subColumns" | "zero" | "bits" | "most" | "runs">,
  open: (fields: Fields, k: KernelBuilder) => Block,
): QuantizedFormat {
  const offsets = fieldOffsets(layouts[name]);
  return {
    ...facts,
    columns: layouts[name].columns,
    open(k, at, before, base = 0) {
      const fields = Object.entries(offsets).map(([field, fieldOffset]) => {
        const offset = base + fieldOffset;
        const scale = once(() => at.loadFloats(offset));
        const word = lastOf((unit) => at.loadInts(offset + unit * GROUP_ROWS * 4));
        const byte = (): Ints => at.sub(before.mul(3)).loadBytes(offset);
        return [field, { scale, word, byte }] as const;
      });
      return open(Object.fromEntries(fields), k);
    },
  };
}

/** A value that is computed where it is first asked for; later uses must lie in the same straight code. */
function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}

/** A function that keeps its last result, for the same straight code. */
function lastOf<T>(make: (of: number) => T): (of: number) => T {
  let last: { of: number; value: T } | undefined;
  return (of) => {
    if (last?.of !== of) last = { of, value: make(of) };
    return last.value;
  };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** Low nibbles are the first 16 columns, high ones the others: one sub-block. */
const halvesRuns = [range(4).flatMap((i) => [i, i + 4])];
/** The same, eight times: sub-blocks of 32 columns in 4 words each. */
const eightHalvesRuns = range(8).map((sub) => halvesRuns[0].map((t) => sub * 8 + t));
/** Chunks of 64 columns: low nibbles are the first 32, high ones the others. */
const chunkRuns = range(4).map((chunk) => range(8).flatMap((i) => [chunk * 16 + i, chunk * 16 + 8 + i]));
/** Halves of 128 columns in four lines of 32, of which 0 and 2 share words, 1 and 3, and all the bit pairs. */
const lineRuns = range(4).map((n) => {
  const first = (n >> 1) * 32 + (n & 1) * 4;
  return range(4).flatMap((i) => [0, 16, 8, 24].map((line) => first + line + i));
});

const LOW = 0x0f0f0f0f;
const FIFTH = 0x10101010;

/** Low or high nibbles of each byte; where bytes may have 8 bits the high ones stay where they are: 16 times. */
const nibbles = (word: Ints, high: boolean, k: KernelBuilder): Ints =>
  !high ? word.and(LOW) : k.machine.dot === "i7" ? word.shr(NIBBLE).and(LOW) : word.and(~LOW);
const nibbleShift =
  (isHigh: (t: number) => boolean, k: KernelBuilder) =>
  (t: number): 0 | 4 =>
    isHigh(t) && k.machine.dot !== "i7" ? NIBBLE : 0;
/** The same, at 0..15 always. */
const smallNibbles = (word: Ints, high: boolean): Ints => (high ? word.shr(NIBBLE) : word).and(LOW);

/** Bit `from` of each byte, at bit 4. */
const fifthBit = (word: Ints, from: number): Ints => (from <= 4 ? word.shl(4 - from) : word.shr(from - 4)).and(FIFTH);

const byteOf = (word: Ints, i: number): Ints => (i === 3 ? word.shr(24) : word.shr(8 * i).and(255));

/** 32 columns in 4 words of nibbles: columns 0..15 are the low ones. */
const plainNibbles = (f: Fields, k: KernelBuilder) => ({
  quad: (t: number) => nibbles(f.nibbles.word(t & 3), t > 3, k),
  shift: nibbleShift((t) => t > 3, k),
});
const fiveBits = (f: Fields) => {
  return {
    quad: (t: number) => smallNibbles(f.nibbles.word(t & 3), t > 3).or(fifthBit(f.high.word(0), t)),
    shift: () => 0 as const,
  };
};

/** 32 columns for each 4 words of nibbles, which stand for levels from `-zero` on. */
function lookedUp(f: Fields, levels: Int8Array, zero: number, k: KernelBuilder) {
  const lookup = (byteOf: (level: number) => number) => {
    const table = k.table(Uint8Array.from(levels, (level) => byteOf(level + zero)));
    return (t: number) => smallNibbles(f.nibbles.word((t >> 3) * 4 + (t & 3)), (t & 4) !== 0).lookup(table);
  };
  return {
    quad: lookup((byte) => byte),
    shift: () => 0 as const,
    planes: [lookup((byte) => byte & 15), lookup((byte) => byte >> NIBBLE)],
  };
}

/** 2^(e - 128) of bytes e: their exponents are e - 1, but the two least are subnormal. */
const halfPowers = (e: Ints): Floats => e.shl(2).sub(4).max(e.add(1)).shl(21).asFloats();

/** Scales and mins of Q4_K and Q5_K: 6 bits each, of which the last four of eight lie in pieces. */
const kScales = (f: Fields): Required<Pick<Block, "scale" | "lower">> => {
  /** Four of them as bytes: 0..3, then 4..7, whose low bits are nibbles of the third word. */
  const bytesOf = (word: number, isMin: boolean) => [
    once(() => f.scales.word(word).and(0x3f3f3f3f)),
    once(() => smallNibbles(f.scales.word(2), isMin).or(f.scales.word(word).shr(2).and(0x30303030))),
  ];
  const [scales, mins] = [bytesOf(0, false), bytesOf(1, true)];
  return {
    scale: (sub) => byteOf(scales[sub >> 2](), sub & 3),
    lower: { factor: () => f.dmin.scale(), min: (sub) => byteOf(mins[sub >> 2](), sub & 3) },
  };
};

/** 64 columns in 8 words: the first 32 low, the others high. */
const chunkNibbles = (t: number): { word: number; high: boolean } => ({
  word: (t >> 4) * 8 + (t & 7),
  high: (t & 8) !== 0,
});

export const quantizedFormats: Readonly<Record<QuantizedName, QuantizedFormat>> = {
  q4_0: format("q4_0", { subColumns: 32, zero: 8, bits: 7, most: 15, runs: halvesRuns }, (f, k) => ({
    d: () => f.d.scale(),
    ...plainNibbles(f, k),
  })),
  q4_1: format("q4_1", { subColumns: 32, zero: 0, bits: 7, most: 15, runs: halvesRuns }, (f, k) => ({
    d: () => f.d.scale(),
    plus: () => f.m.scale(),
    ...plainNibbles(f, k),
  })),
  q5_0: format("q5_0", { subColumns: 32, zero: 16, bits: 7, most: 31, runs: halvesRuns }, (f) => ({
    d: () => f.d.scale(),
    ...fiveBits(f),
  })),
  q5_1: format("q5_1", { subColumns: 32, zero: 0, bits: 7, most: 31, runs: halvesRuns }, (f) => ({
    d: () => f.d.scale(),
    plus: () => f.m.scale(),
    ...fiveBits(f),
  })),
  iq4_nl: format("iq4_nl", { subColumns: 32, zero: 128, bits: 8, most: 241, runs: halvesRuns }, (f, k) => ({
    d: () => f.d.scale(),
    ...lookedUp(f, iq4Levels, 128, k),
  })),
  iq4_xs: format("iq4_xs", { subColumns: 32, zero: 128, bits: 8, most: 241, runs: eightHalvesRuns }, (f, k) => ({
    d: () => f.d.scale(),
    // 6 bits, less 32: a nibble, and two bits of the upper half
    scale: (sub) => {
      const [low, high] = [
        f.scales
          .word(0)
          .shr(4 * sub)
          .and(15),
        f.upper
          .word(0)
          .shr(16 + 2 * sub)
          .and(3),
      ];
      return low.or(high.shl(4)).sub(32);
    },
    ...lookedUp(f, iq4Levels, 128, k),
  })),
  mxfp4: format("mxfp4", { subColumns: 32, zero: 16, bits: 7, most: 28, runs: halvesRuns }, (f, k) => ({
    d: once(() => halfPowers(f.exponent.byte())),
    ...lookedUp(f, fp4Levels, 16, k),
  })),
  q8_0: format("q8_0", { subColumns: 32, zero: 128, bits: 8, most: 255, runs: [range(8)] }, (f) => ({
    d: () => f.d.scale(),
    quad: (t) => f.bytes.word(t),
    shift: () => 0,
  })),
  q4_k: format("q4_k", { subColumns: 32, zero: 0, bits: 7, most: 15, runs: chunkRuns }, (f, k) => ({
    d: () => f.d.scale(),
    ...kScales(f),
    quad: (t) => nibbles(f.nibbles.word(chunkNibbles(t).word), chunkNibbles(t).high, k),
    shift: nibbleShift((t) => chunkNibbles(t).high, k),
  })),
  q5_k: format("q5_k", { subColumns: 32, zero: 0, bits: 7, most: 31, runs: chunkRuns }, (f) => ({
    d: () => f.d.scale(),
    ...kScales(f),
    quad: (t) => {
      const { word, high } = chunkNibbles(t);
      return smallNibbles(f.nibbles.word(word), high).or(fifthBit(f.high.word(t & 7), t >> 3));
    },
    shift: () => 0 as const,
  })),
  q6_k: format("q6_k", { subColumns: 16, zero: 32, bits: 7, most: 63, runs: lineRuns }, (f) => ({
    d: () => f.d.scale(),
    scale: (sub) =>
      f.scales
        .word(sub >> 2)
        .shl(24 - 8 * (sub & 3))
        .shrSigned(24),
    quad: (t) => {
      // two halves of 128 columns, each four runs of 32: runs 0 and 1 low, 2 and 3 high nibbles; bit pairs by run
      const [half, run] = [t >> 5, (t >> 3) & 3];
      const low = smallNibbles(f.nibbles.word(half * 16 + (t & 15)), run > 1);
      const pairs = f.high.word(half * 8 + (t & 7));
      return low.or((run < 3 ? pairs.shl(4 - 2 * run) : pairs.shr(2)).and(0x30303030));
    },
    shift: () => 0 as const,
  })),
};

/** The weights of columns 4t..4t+3 as f32, rounded as the format's plain decoder rounds. */
export function decodeQuad(format: QuantizedFormat, block: Block, t: number): Floats[] {
  const sub = Math.floor((t * QUAD) / format.subColumns);
  const scale = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
  const lower = block.lower === undefined ? undefined : block.lower.factor().mul(block.lower.min(sub).toFloats());
  const quad = block.quad(t);
  return Array.from({ length: QUAD }, (_, i) => {
    const byte = byteOf(quad, i);
    const number = (block.shift(t) > 0 ? byte.shr(block.shift(t)) : byte).sub(format.zero);
    const weight = scale.mul(number.toFloats());
    if (block.plus !== undefined) return weight.add(block.plus());
    return lower === undefined ? weight : weight.sub(lower);
  });
}
