// What a kernel is once it is traced: straight statements over typed values, with loops and conditionals. The builder
// makes it, emitters read it. Values are numbers (ids); a value is set once, except by "set" and as a loop's counter.
// `int` is a scalar of Machine.word bits (addresses too), `float` an f32 scalar; `ints` and `floats` are registers of
// W 32-bit lanes. Eight tiles of 16 rows of 64 bytes are no values: operations name them by number.

export type ValueType = "int" | "float" | "ints" | "floats";

/**
 * Every operation: its result ("none" for stores), then its operands. Memory operations take an address and a constant
 * byte offset (`immediate`); shifts and lane numbers are immediates too. Masks are ints, all ones or zero in each lane.
 */
export const operations = {
  "int.const": ["int"],
  /** Record address, part, parts: immediate 0, 1, 2. */
  "int.parameter": ["int"],
  /** Address of the thread's own scratch bytes. */
  "int.scratch": ["int"],
  "int.add": ["int", "int", "int"],
  "int.sub": ["int", "int", "int"],
  "int.mul": ["int", "int", "int"],
  "int.divU": ["int", "int", "int"],
  "int.remU": ["int", "int", "int"],
  "int.and": ["int", "int", "int"],
  "int.or": ["int", "int", "int"],
  "int.xor": ["int", "int", "int"],
  "int.shl": ["int", "int", "int"],
  "int.shrU": ["int", "int", "int"],
  "int.eq": ["int", "int", "int"],
  "int.ltS": ["int", "int", "int"],
  /** second operand where the first is not zero, else the third */
  "int.select": ["int", "int", "int", "int"],
  "int.load": ["int", "int"],
  /** a word of the argument record: as wide as the machine's */
  "int.loadWord": ["int", "int"],
  "int.loadU8": ["int", "int"],
  "int.loadU16": ["int", "int"],
  "int.store": ["none", "int", "int"],
  "int.store8": ["none", "int", "int"],
  "int.store16": ["none", "int", "int"],
  "int.bits": ["int", "float"],
  /** truncated, saturating */
  "int.fromFloat": ["int", "float"],

  "float.const": ["float"],
  "float.add": ["float", "float", "float"],
  "float.sub": ["float", "float", "float"],
  "float.mul": ["float", "float", "float"],
  "float.div": ["float", "float", "float"],
  "float.sqrt": ["float", "float"],
  /** 1 where a < b, else 0 */
  "float.lt": ["int", "float", "float"],
  "float.select": ["float", "int", "float", "float"],
  "float.load": ["float", "int"],
  "float.store": ["none", "int", "float"],
  "float.fromInt": ["float", "int"],
  "float.bits": ["float", "int"],

  "ints.const": ["ints"],
  /** 16 bytes, again in every 16 of a register. Immediate: which of the kernel's tables. */
  "ints.table": ["ints"],
  "ints.splat": ["ints", "int"],
  "ints.load": ["ints", "int"],
  /** one i32 to all lanes */
  "ints.loadSplat": ["ints", "int"],
  /** W bytes or halfwords, zero- or sign-extended */
  "ints.loadU8": ["ints", "int"],
  "ints.loadS8": ["ints", "int"],
  "ints.loadU16": ["ints", "int"],
  "ints.loadS16": ["ints", "int"],
  "ints.store": ["none", "int", "ints"],
  /** the low byte or halfword of each lane, side by side */
  "ints.store8": ["none", "int", "ints"],
  "ints.store16": ["none", "int", "ints"],
  "ints.add": ["ints", "ints", "ints"],
  "ints.sub": ["ints", "ints", "ints"],
  "ints.mul": ["ints", "ints", "ints"],
  "ints.and": ["ints", "ints", "ints"],
  "ints.or": ["ints", "ints", "ints"],
  "ints.xor": ["ints", "ints", "ints"],
  "ints.shl": ["ints", "ints"],
  "ints.shrU": ["ints", "ints"],
  "ints.shrS": ["ints", "ints"],
  "ints.eq": ["ints", "ints", "ints"],
  "ints.gtS": ["ints", "ints", "ints"],
  "ints.select": ["ints", "ints", "ints", "ints"],
  /** each byte of the second, 0..15, becomes the byte of that number of the first, a table */
  "ints.lookup": ["ints", "ints", "ints"],
  "ints.lane": ["int", "ints"],
  /** each 16-bit half of each lane on its own */
  "ints.shlHalves": ["ints", "ints"],
  "ints.shrSHalves": ["ints", "ints"],
  "ints.shrUHalves": ["ints", "ints"],
  "ints.addHalves": ["ints", "ints", "ints"],
  /** per lane: low·low + high·high of signed halves */
  "ints.dotHalves": ["ints", "ints", "ints"],
  /** Where Machine.dot is "i7"; per half: the sum of two products, signed bytes of the first by 0..127 of the second. */
  "ints.dotPairs": ["ints", "ints", "ints"],
  /** per lane: third + sum of four products, signed bytes of the first by bytes of the second (see Machine.dot) */
  "ints.dotBytes": ["ints", "ints", "ints", "ints"],
  "ints.bits": ["ints", "floats"],
  /** truncated, saturating, NaN gives 0 */
  "ints.fromFloats": ["ints", "floats"],

  "floats.const": ["floats"],
  "floats.splat": ["floats", "float"],
  "floats.load": ["floats", "int"],
  "floats.loadSplat": ["floats", "int"],
  "floats.store": ["none", "int", "floats"],
  /** The same past the caches, which then need not fetch what is overwritten; to a multiple of a register's bytes. */
  "floats.storeOnce": ["none", "int", "floats"],
  "floats.add": ["floats", "floats", "floats"],
  "floats.sub": ["floats", "floats", "floats"],
  "floats.mul": ["floats", "floats", "floats"],
  "floats.div": ["floats", "floats", "floats"],
  /** first * second + third; rounded once where Machine.madd is "fused" */
  "floats.madd": ["floats", "floats", "floats", "floats"],
  /** second where it is less (min) or greater (max), else the first: as compare and select, NaN included */
  "floats.min": ["floats", "floats", "floats"],
  "floats.max": ["floats", "floats", "floats"],
  "floats.sqrt": ["floats", "floats"],
  "floats.abs": ["floats", "floats"],
  "floats.neg": ["floats", "floats"],
  /** to the nearest integer, ties to even */
  "floats.nearest": ["floats", "floats"],
  "floats.lt": ["ints", "floats", "floats"],
  "floats.select": ["floats", "ints", "floats", "floats"],
  "floats.lane": ["float", "floats"],
  /** lanes 0 .. distance - 1 get those from `distance` on (immediate: W/2, W/4, ...), the rest undefined: for reductions */
  "floats.rotate": ["floats", "floats"],
  "floats.fromInts": ["floats", "ints"],
  "floats.bits": ["floats", "ints"],

  // Where Machine.f16: W f16 numbers, exact; rounded to nearest even.
  "floats.loadF16": ["floats", "int"],
  "floats.storeF16": ["none", "int", "floats"],
  /** Where Machine.bf16: per lane bf16(first) | bf16(second) << 16, rounded to nearest even, subnormals taken as zero. */
  "ints.pairBf16": ["ints", "floats", "floats"],

  /** Brings the 64 bytes around the address nearer; reads nothing, faults nowhere. */
  "memory.prefetch": ["none", "int"],

  // Where Machine.tiles. Immediate: the tile, for dot the sums' tile | first << 4 | second << 8.
  "tile.zero": ["none"],
  /** 16 rows of 64 bytes, from an address on, so many bytes apart. */
  "tile.load": ["none", "int", "int"],
  /** The same of rows that are not read again soon: they pass by the first cache level. */
  "tile.loadOnce": ["none", "int", "int"],
  "tile.store": ["none", "int", "int"],
  /** sums (16 x 16 f32) += first (16 x 32 bf16) · second (16 pairs of k x 16 columns x 2 bf16); TDPBF16PS */
  "tile.dotBf16": ["none"],
} as const satisfies Record<string, readonly [ValueType | "none", ...ValueType[]]>;

export type OperationName = keyof typeof operations;

export interface Do {
  readonly kind: "do";
  readonly op: OperationName;
  readonly operands: readonly number[];
  /** The id of the result; -1 for stores. */
  readonly result: number;
  readonly immediate: number;
}

/** result = a copy of what a variable holds now. */
export interface Get {
  readonly kind: "get";
  readonly variable: number;
  readonly result: number;
}

export interface Set {
  readonly kind: "set";
  readonly variable: number;
  readonly value: number;
}

/** counter = from; while counter < to (signed): body; counter += step. */
export interface Loop {
  readonly kind: "loop";
  readonly counter: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly body: readonly Statement[];
}

export interface If {
  readonly kind: "if";
  readonly condition: number;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}

export type Statement = Do | Get | Set | Loop | If;

/** A kernel for one machine. */
export interface TracedKernel {
  readonly name: string;
  /** Type of every value, by id. */
  readonly types: readonly ValueType[];
  /** Each of 16 bytes. */
  readonly tables: readonly (readonly number[])[];
  readonly body: readonly Statement[];
}

/** Bytes of a table. */
export const TABLE_BYTES = 16;

/** What the builder has to know of the machine it builds for. */
export interface Machine {
  /** W: 32-bit lanes of a register. */
  readonly lanes: number;
  /** Whether `madd` is one instruction, and if so whether it rounds once or twice; "none": a product and a sum. */
  readonly madd: "none" | "fused" | "separate";
  /**
   * Which bytes the second operand of `dotBytes` may hold: 0..255 ("u8"), 0..127 ("i7"); "none": there is no such
   * instruction, and the builder writes it with halves.
   */
  readonly dot: "none" | "i7" | "u8";
  /** Bits of an int, of an address and of a record's words. Kernels do not rely on where ints wrap. */
  readonly word: 32 | 64;
  /** Vector registers: how far a kernel may unroll. */
  readonly registers: 16 | 32;
  /** Whether conversions from and to f16, and to bf16, are instructions. */
  readonly f16: boolean;
  readonly bf16: boolean;
  /** Whether there are tile registers (AMX bf16). */
  readonly tiles: boolean;
}
