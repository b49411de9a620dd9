// Instructions for integers, addresses, comparisons and f32 scalars. An int is a 64-bit general register, a scalar float
// the low lane of a vector register.
import type { Do, OperationName } from "../ir.ts";
import { type CodeOptions, type Source, type ValueSource, NONE, immediate, value } from "./code.ts";
import type { Selection } from "./selection.ts";

export type Maker = (s: Selection, statement: Do) => void;

/** The opposite of a condition code. */
export const inverse: Readonly<Record<string, string>> = { l: "ge", g: "le", e: "ne", ne: "e", a: "be" };
/** The condition when what is compared changes places. */
const mirrored: Readonly<Record<string, string>> = { l: "g", e: "e" };

/** Sets the flags for a condition, absorbed or not; returns the condition code under which it is true. */
export function emitCondition(s: Selection, id: number): string {
  const definition = s.definition(id);
  if (definition === undefined || !s.plan.absorbed.has(id)) {
    s.emit("test", 64, NONE, [value(id), value(id)]);
    return "ne";
  }
  return emitComparison(s, definition);
}

function emitComparison(s: Selection, { op, operands: [a, b] }: Do): string {
  if (op === "float.lt") {
    s.emit("vucomiss", 128, NONE, [value(b), s.operand(a)], { memoryAt: 1, memory: "element" });
    return "a"; // b above a; not so where one is no number
  }
  const condition = op === "int.ltS" ? "l" : "e";
  const [left, right] = [s.int(a), s.int(b)];
  if (left.kind === "immediate") {
    const other = inRegister(s, right); // or in memory, where a load was absorbed
    s.emit("cmp", 64, NONE, [other, left], { memoryAt: other.kind === "value" ? 0 : NONE });
    return mirrored[condition];
  }
  s.emit("cmp", 64, NONE, [left, right], { memoryAt: right.kind === "value" ? 1 : NONE });
  return condition;
}

const setFlag: Maker = (s, statement) => {
  const condition = emitComparison(s, statement);
  s.emit(`@set${condition}`, 64, statement.result, []);
};

/** Both orders of a destructive instruction; an immediate or memory stays last. */
function destructive(s: Selection, name: string, { result, operands }: Do, options: CodeOptions = {}): void {
  const [a, b] = operands.map((id) => s.int(id));
  const [first, second] = a.kind === "value" ? [a, b] : [b, a];
  const swappable = first.kind === "value" && second.kind === "value";
  const ways = swappable
    ? [
        { name, order: [0, 1] },
        { name, order: [1, 0] },
      ]
    : undefined;
  s.emit(name, 64, result, [inRegister(s, first), second], { tied: true, memoryAt: 1, ways, ...options });
}

/** An immediate as a value of its own. */
function inRegister(s: Selection, source: Source): Source {
  if (source.kind !== "immediate") return source;
  return s.constant("general", source.value);
}

const commutative =
  (name: string, options?: CodeOptions): Maker =>
  (s, statement) =>
    destructive(s, name, statement, options);

const load =
  (name: string, bits: 32 | 64): Maker =>
  (s, { operands, immediate, result }) =>
    s.emit(name, bits, result, [s.address(operands[0], immediate)]);

const store =
  (bits: 8 | 16 | 32): Maker =>
  (s, { operands, immediate: offset }) => {
    const known = s.int(operands[1]);
    const stored = known.kind === "immediate" && bits === 32 ? known : inRegister(s, known);
    s.emit("mov", bits, NONE, [s.address(operands[0], offset), stored]);
  };

const shift =
  (byConstant: string, byValue: string): Maker =>
  (s, { operands, result }) => {
    const count = s.int(operands[1]);
    const shifted = inRegister(s, s.int(operands[0]));
    if (count.kind === "immediate")
      s.emit(byConstant, 64, result, [shifted, immediate(count.value & 63)], { tied: true });
    else s.emit(byValue, 64, result, [shifted, inRegister(s, count)], { memoryAt: 0 });
  };

const divide =
  (name: string): Maker =>
  (s, { operands, result }) =>
    s.emit(name, 64, result, [inRegister(s, s.int(operands[0])), inRegister(s, s.int(operands[1]))], {
      clobbers: [0, 2],
    });

const multiply: Maker = (s, statement) => {
  const { operands, result } = statement;
  const [x, y] = operands.map((id) => s.int(id));
  const [a, b] = x.kind === "immediate" ? [y, x] : [x, y];
  if (b.kind !== "immediate") return destructive(s, "imul", statement);
  const power = Math.log2(b.value);
  if (Number.isInteger(power)) s.emit("shl", 64, result, [inRegister(s, a), immediate(power)], { tied: true });
  else s.emit("imul", 64, result, [inRegister(s, a), b], { memoryAt: 0 });
};

/** The second source replaces the first under a condition. */
const selectInt: Maker = (s, { operands: [condition, then, otherwise], result }) => {
  const [replacement, kept] = [inRegister(s, s.int(then)), inRegister(s, s.int(otherwise))];
  const flag = emitCondition(s, condition);
  s.emit(`cmov${flag}`, 64, result, [kept, replacement], { tied: true, memoryAt: 1 });
};

const selectFloat: Maker = (s, { operands: [condition, then, otherwise], result }) => {
  const flag = emitCondition(s, condition);
  s.emit(`@moveIf${flag}`, 128, result, [value(otherwise), value(then)], { tied: true });
};

const scalarCommutative =
  (name: string): Maker =>
  (s, { operands, result }) => {
    const [a, b] = operands.map((id) => s.operand(id));
    const [first, second] = a.kind === "value" && !s.program.constants.has(a.id) ? [a, b] : [b, a];
    s.emit(name, 128, result, [first, second], { memoryAt: 1, memory: "element" });
  };

const scalar =
  (name: string): Maker =>
  (s, { operands, result }) =>
    s.emit(name, 128, result, [value(operands[0]), s.operand(operands[1])], { memoryAt: 1, memory: "element" });

const constant: Maker = (s, { op, immediate: number, result }) => {
  s.program.constants.set(
    result,
    op === "int.const" ? number : op.startsWith("float") ? floatBits(number) : number | 0,
  );
};

const words = new Int32Array(1);
const floats = new Float32Array(words.buffer);
const floatBits = (x: number): number => ((floats[0] = x), words[0]);

/** 2^31 as f32. */
export const TOO_BIG = 0x4f000000;

const nothing: Maker = () => {};

const twice = (source: ValueSource): ValueSource[] => [source, source];

export const integers: Partial<Record<OperationName, Maker>> = {
  "int.const": constant,
  "float.const": constant,
  "ints.const": constant,
  "floats.const": constant,
  "int.parameter": nothing,
  "int.scratch": nothing,
  "int.add": commutative("add", { isSum: true }),
  "int.sub": (s, { operands: [a, b], result }) =>
    s.emit("sub", 64, result, [inRegister(s, s.int(a)), s.int(b)], { tied: true, memoryAt: 1 }),
  "int.mul": multiply,
  "int.divU": divide("@divide"),
  "int.remU": divide("@remainder"),
  "int.and": commutative("and"),
  "int.or": commutative("or"),
  "int.xor": commutative("xor"),
  "int.shl": shift("shl", "shlx"),
  "int.shrU": shift("shr", "shrx"),
  "int.eq": setFlag,
  "int.ltS": setFlag,
  "float.lt": setFlag,
  "int.select": selectInt,
  "int.load": load("movsxd", 64),
  "int.loadWord": load("mov", 64),
  "int.loadU8": load("movzx8", 32),
  "int.loadU16": load("movzx16", 32),
  "int.store": store(32),
  "int.store8": store(8),
  "int.store16": store(16),
  "int.bits": (s, { operands, result }) => {
    const low = s.fresh("general");
    s.emit("vmovd", 128, low, [value(operands[0])]);
    s.emit("movsxd", 64, result, [value(low)]);
  },
  "int.fromFloat": (s, { operands, result }) => {
    // what is too small or no number gives the least integer; what is too big would as well
    const [less, exact] = [s.fresh("vector"), s.fresh("general")];
    s.emit("vminss", 128, less, [value(operands[0]), s.lanes(TOO_BIG)], { memoryAt: 1, memory: "element" });
    s.emit("vcvttss2si", 64, exact, [value(less)]);
    s.emit("@saturate", 64, result, [value(exact), value(operands[0])], { tied: true, clobbers: [0] });
  },
  "float.add": scalarCommutative("vaddss"),
  "float.mul": scalarCommutative("vmulss"),
  "float.sub": scalar("vsubss"),
  "float.div": scalar("vdivss"),
  "float.sqrt": (s, { operands, result }) => s.emit("vsqrtss", 128, result, twice(value(operands[0]))),
  "float.select": selectFloat,
  "float.load": (s, { operands, immediate, result }) =>
    s.emit("vmovss", 128, result, [s.address(operands[0], immediate)]),
  "float.store": (s, { operands, immediate }) =>
    s.emit("vmovss", 128, NONE, [s.address(operands[0], immediate), value(operands[1])]),
  "float.fromInt": (s, { operands, result }) => s.emit("@fromInt", 64, result, [value(operands[0])]),
  "float.bits": (s, { operands, result }) => s.emit("vmovd", 128, result, [inRegister(s, s.int(operands[0]))]),
  "memory.prefetch": (s, { operands, immediate }) => s.emit("prefetcht1", 0, NONE, [s.address(operands[0], immediate)]),
  "tile.zero": (s, { immediate: tile }) => onTiles(s, `@tilezero${tile}`, []),
  "tile.load": (s, { operands: [at, stride], immediate: tile }) =>
    onTiles(s, `@tileloadd${tile}`, [tilePlace(s, at, stride)]),
  "tile.loadOnce": (s, { operands: [at, stride], immediate: tile }) =>
    onTiles(s, `@tileloaddt1${tile}`, [tilePlace(s, at, stride)]),
  "tile.store": (s, { operands: [at, stride], immediate: tile }) =>
    onTiles(s, `@tilestored${tile}`, [tilePlace(s, at, stride)]),
  "tile.dotBf16": (s, { immediate: numbers }) => onTiles(s, `@tdpbf16ps${numbers}`, []),
};

function onTiles(s: Selection, name: string, sources: Source[]): void {
  s.usesTiles = true;
  s.emit(name, 0, NONE, sources);
}

/** Rows from an address on, the index register so many bytes apart. */
function tilePlace(s: Selection, at: number, stride: number): Source {
  const { base, displacement } = s.address(at, 0);
  const step = inRegister(s, s.int(stride)) as ValueSource;
  return { kind: "place", base, index: step.id, scale: 1, displacement, broadcast: false };
}
