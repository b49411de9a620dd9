// Each operation of the kernel language as WebAssembly: opcode bytes, and what surrounds them. Numbers from the core
// specification (SIMD, threads, memory64) and the relaxed SIMD proposal. W is 4. An int is an i32, or where Machine.word
// is 64 an i64: only the operations with ints in them differ.
import type { OperationName } from "../ir.ts";

export interface Encoding {
  /** Bytes of each instruction, in order, after the operands. */
  readonly code: readonly number[];
  /** Indices of the operands in the order they are pushed; default: as they are. */
  readonly order?: readonly number[];
  /** Where the immediate goes: a memory offset after the (first) opcode, a lane byte, or an i32 pushed before it. */
  readonly immediate?: "offset" | "lane" | "pushed";
  /** Bytes after a memory offset or a lane. */
  readonly after?: readonly number[];
}

export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ;) {
    const low = rest & 127;
    rest >>>= 7;
    if (rest === 0) return [...bytes, low];
    bytes.push(low | 128);
  }
}

export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ;) {
    const low = rest & 127;
    rest >>= 7;
    const ends = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    if (ends) return [...bytes, low];
    bytes.push(low | 128);
  }
}

const simd = (opcode: number): number[] => [0xfd, ...unsignedLeb(opcode)];
const plain = (code: number | number[], order?: readonly number[]): Encoding => ({
  code: typeof code === "number" ? [code] : code,
  ...(order && { order }),
});
const memory = (code: number[], after: number[] = []): Encoding => ({ code, immediate: "offset", after });
const shift = (opcode: number): Encoding => ({ code: simd(opcode), immediate: "pushed" });
const lane = (opcode: number): Encoding => ({ code: simd(opcode), immediate: "lane" });

const SHUFFLE = simd(0x0d);
/** i8x16.shuffle of a register with itself; pushed twice by the emitter. */
export const shuffleCode = (byteAt: (i: number) => number): number[] => [
  ...SHUFFLE,
  ...Array.from({ length: 16 }, (_, i) => byteAt(i) & 15),
];

/** Operations with an encoding of their own in emit.ts: constants, parameters, and those that shuffle. */
export type SpecialOperation =
  | "int.const"
  | "int.parameter"
  | "int.scratch"
  | "float.const"
  | "ints.const"
  | "ints.table"
  | "floats.const"
  | "ints.store8"
  | "ints.store16"
  | "floats.rotate"
  | "memory.prefetch";

/** Operations that no WebAssembly machine has: the builder never makes them for one. */
type AbsentOperation = Extract<OperationName, `tile.${string}` | `${string}F16` | "ints.pairBf16">;

type EncodedOperation = Exclude<OperationName, SpecialOperation | AbsentOperation>;

const narrow: Readonly<Record<EncodedOperation, Encoding>> = {
  "int.add": plain(0x6a),
  "int.sub": plain(0x6b),
  "int.mul": plain(0x6c),
  "int.divU": plain(0x6e),
  "int.remU": plain(0x70),
  "int.and": plain(0x71),
  "int.or": plain(0x72),
  "int.xor": plain(0x73),
  "int.shl": plain(0x74),
  "int.shrU": plain(0x76),
  "int.eq": plain(0x46),
  "int.ltS": plain(0x48),
  "int.select": plain(0x1b, [1, 2, 0]),
  "int.load": memory([0x28]),
  "int.loadWord": memory([0x28]),
  "int.loadU8": memory([0x2d]),
  "int.loadU16": memory([0x2f]),
  "int.store": memory([0x36]),
  "int.store8": memory([0x3a]),
  "int.store16": memory([0x3b]),
  "int.bits": plain(0xbc),
  "int.fromFloat": plain([0xfc, 0x00]),
  "float.add": plain(0x92),
  "float.sub": plain(0x93),
  "float.mul": plain(0x94),
  "float.div": plain(0x95),
  "float.sqrt": plain(0x91),
  "float.lt": plain(0x5d),
  "float.select": plain(0x1b, [1, 2, 0]),
  "float.load": memory([0x2a]),
  "float.store": memory([0x38]),
  "float.fromInt": plain(0xb2),
  "float.bits": plain(0xbe),
  "ints.splat": plain(simd(0x11)),
  "ints.load": memory(simd(0x00)),
  "ints.loadSplat": memory(simd(0x09)),
  "ints.loadU8": memory(simd(0x5c), [...simd(0x89), ...simd(0xa9)]), // load32_zero, extend twice
  "ints.loadS8": memory(simd(0x5c), [...simd(0x87), ...simd(0xa7)]),
  "ints.loadU16": memory(simd(0x04)),
  "ints.loadS16": memory(simd(0x03)),
  "ints.store": memory(simd(0x0b)),
  "ints.add": plain(simd(0xae)),
  "ints.sub": plain(simd(0xb1)),
  "ints.mul": plain(simd(0xb5)),
  "ints.and": plain(simd(0x4e)),
  "ints.or": plain(simd(0x50)),
  "ints.xor": plain(simd(0x51)),
  "ints.shl": shift(0xab),
  "ints.shrU": shift(0xad),
  "ints.shrS": shift(0xac),
  "ints.eq": plain(simd(0x37)),
  "ints.gtS": plain(simd(0x3b)),
  "ints.select": plain(simd(0x52), [1, 2, 0]),
  "ints.lookup": plain(simd(0x0e)),
  "ints.lane": lane(0x1b),
  "ints.shlHalves": shift(0x8b),
  "ints.shrSHalves": shift(0x8c),
  "ints.shrUHalves": shift(0x8d),
  "ints.addHalves": plain(simd(0x8e)),
  "ints.dotHalves": plain(simd(0xba)),
  "ints.dotPairs": plain(simd(0x112)),
  "ints.dotBytes": plain(simd(0x113), [1, 2, 0]),
  "ints.bits": plain([]),
  "ints.fromFloats": plain(simd(0xf8)),
  "floats.splat": plain(simd(0x13)),
  "floats.load": memory(simd(0x00)),
  "floats.loadSplat": memory(simd(0x09)),
  "floats.store": memory(simd(0x0b)),
  "floats.storeOnce": memory(simd(0x0b)),
  "floats.add": plain(simd(0xe4)),
  "floats.sub": plain(simd(0xe5)),
  "floats.mul": plain(simd(0xe6)),
  "floats.div": plain(simd(0xe7)),
  "floats.madd": plain(simd(0x105)),
  "floats.min": plain(simd(0xea)), // pmin
  "floats.max": plain(simd(0xeb)), // pmax
  "floats.sqrt": plain(simd(0xe3)),
  "floats.abs": plain(simd(0xe0)),
  "floats.neg": plain(simd(0xe1)),
  "floats.nearest": plain(simd(0x6a)),
  "floats.lt": plain(simd(0x43)),
  "floats.select": plain(simd(0x52), [1, 2, 0]),
  "floats.lane": lane(0x1f),
  "floats.fromInts": plain(simd(0xfa)),
  "floats.bits": plain([]),
};

const EXTEND_SIGNED = 0xac; // i64.extend_i32_s
const EXTEND = 0xad; // i64.extend_i32_u
const WRAP = 0xa7; // i32.wrap_i64
const TRUTH = [0x42, 0, 0x52]; // i64.const 0, i64.ne

/** Those with ints in them, where an int has 64 bits. What is read from 32 bits is sign-extended, as numbers are. */
const wide: Readonly<Record<EncodedOperation, Encoding>> = {
  ...narrow,
  "int.add": plain(0x7c),
  "int.sub": plain(0x7d),
  "int.mul": plain(0x7e),
  "int.divU": plain(0x80),
  "int.remU": plain(0x82),
  "int.and": plain(0x83),
  "int.or": plain(0x84),
  "int.xor": plain(0x85),
  "int.shl": plain(0x86),
  "int.shrU": plain(0x88),
  "int.eq": plain([0x51, EXTEND]),
  "int.ltS": plain([0x53, EXTEND]),
  "int.load": memory([0x34]),
  "int.loadWord": memory([0x29]),
  "int.loadU8": memory([0x31]),
  "int.loadU16": memory([0x33]),
  "int.select": plain([...TRUTH, 0x1b], [1, 2, 0]),
  "float.select": plain([...TRUTH, 0x1b], [1, 2, 0]),
  "int.store": memory([0x3e]),
  "int.store8": memory([0x3c]),
  "int.store16": memory([0x3d]),
  "int.bits": plain([0xbc, EXTEND_SIGNED]),
  "int.fromFloat": plain([0xfc, 0x00, EXTEND_SIGNED]),
  "float.lt": plain([0x5d, EXTEND]),
  "float.fromInt": plain(0xb4),
  "float.bits": plain([WRAP, 0xbe]),
  "ints.splat": plain([WRAP, ...simd(0x11)]),
  "ints.lane": { ...lane(0x1b), after: [EXTEND_SIGNED] },
};

export interface WordEncodings {
  readonly encodings: Readonly<Record<EncodedOperation, Encoding>>;
  /** What a local of an int is. */
  readonly type: number;
  readonly const: number;
  readonly add: number;
  readonly lessSigned: number;
  /** Makes an i32 condition of an int. */
  readonly truth: readonly number[];
  /** Makes an int of an unsigned i32. */
  readonly extend: readonly number[];
}

/** By Machine.word. */
export const words: Readonly<Record<32 | 64, WordEncodings>> = {
  32: { encodings: narrow, type: 0x7f, const: 0x41, add: 0x6a, lessSigned: 0x48, truth: [], extend: [] },
  64: {
    encodings: wide,
    type: 0x7e,
    const: 0x42,
    add: 0x7c,
    lessSigned: 0x53,
    truth: TRUTH,
    extend: [EXTEND],
  },
};
