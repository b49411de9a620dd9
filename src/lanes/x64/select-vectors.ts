// Instructions for registers of lanes: one row an operation. Machines with 32 vector registers have EVEX: masks in mask
// registers, one 32-bit element of memory for all lanes, some instructions by other names.
import type { Do, OperationName } from "../ir.ts";
import { bitwise } from "./absorb.ts";
import { type CodeOptions, type Source, type Way, NONE, immediate, value } from "./code.ts";
import type { Selection } from "./selection.ts";
import { type Maker, TOO_BIG } from "./select-ints.ts";

/** A name in VEX, and in EVEX where it differs. */
type Name = string | readonly [vex: string, evex: string];
const nameOf = (s: Selection, name: Name): string => (typeof name === "string" ? name : name[s.evex ? 1 : 0]);

/** What memory a lanewise instruction takes. */
const lanewise = (s: Selection): CodeOptions["memory"] => (s.evex ? "any" : "whole");

const isConstant = (s: Selection, source: Source): boolean =>
  source.kind === "value" && s.program.constants.has(source.id);

/** Memory and constants last. */
function memoryLast(s: Selection, a: Source, b: Source): [Source, Source] {
  return a.kind === "place" || (isConstant(s, a) && b.kind !== "place") ? [b, a] : [a, b];
}

const commutative =
  (name: Name, memory?: "whole"): Maker =>
  (s, { operands, result }) => {
    const [a, b] = memoryLast(s, s.operand(operands[0]), s.operand(operands[1]));
    s.emit(nameOf(s, name), s.bits, result, [a, b], { memoryAt: 1, memory: memory ?? lanewise(s) });
  };

/** Truth tables of a bit with another, as functions of columns of vpternlogd's table. */
const bitOperations: Readonly<Record<string, (a: number, b: number) => number>> = {
  "ints.and": (a, b) => a & b,
  "ints.or": (a, b) => a | b,
  "ints.xor": (a, b) => a ^ b,
};
/** What the three sources are in the rows 0 .. 7 of the table (Intel SDM, VPTERNLOG). */
const COLUMNS = [0xf0, 0xcc, 0xaa];

/** A bit operation, or two of them at once where one was absorbed. */
const bits =
  (name: Name): Maker =>
  (s, statement) => {
    const { op, operands, result } = statement;
    const inner = operands.find((id) => s.plan.absorbed.has(id) && bitwise.has(s.definition(id)!.op));
    if (inner === undefined) return commutative(name)(s, statement);
    const { op: innerOp, operands: pair } = s.definition(inner)!;
    const other = operands[0] === inner ? operands[1] : operands[0];
    const all = [...pair, other].map((id) => s.operand(id));
    // memory last, or a constant, which may become memory
    const rank = (i: number): number => (all[i].kind === "place" ? 2 : isConstant(s, all[i]) ? 1 : 0);
    const places = [0, 1, 2].toSorted((a, b) => rank(a) - rank(b));
    const sources = places.map((i) => all[i]);
    const ways = [
      [0, 1, 2],
      [1, 0, 2],
    ].map((order): Way => {
      const [x, y, z] = [0, 1, 2].map((i) => COLUMNS[order.indexOf(places.indexOf(i))]);
      return { name: "vpternlogd", order, immediate: bitOperations[op](bitOperations[innerOp](x, y), z) };
    });
    s.emit("vpternlogd", s.bits, result, sources, { tied: true, ways, memoryAt: 2, memory: "any" });
  };

const ordered =
  (name: Name): Maker =>
  (s, { operands: [a, b], result }) =>
    s.emit(nameOf(s, name), s.bits, result, [value(a), s.operand(b)], { memoryAt: 1, memory: lanewise(s) });

/** vminps and vmaxps give the second source where the comparison fails: the operation's first operand. */
const minMax =
  (name: string): Maker =>
  (s, { operands: [a, b], result }) =>
    s.emit(name, s.bits, result, [value(b), s.operand(a)], { memoryAt: 1, memory: lanewise(s) });

const unary =
  (name: string): Maker =>
  (s, { operands, result }) =>
    s.emit(name, s.bits, result, [s.operand(operands[0])], { memoryAt: 0, memory: lanewise(s) });

/** With a constant of every lane. */
const withBits =
  (name: Name, bits: number): Maker =>
  (s, { operands, result }) => {
    const x = s.operand(operands[0]);
    const sources = x.kind === "place" ? [s.lanes(bits), x] : [x, s.lanes(bits)];
    s.emit(nameOf(s, name), s.bits, result, sources, { memoryAt: 1, memory: lanewise(s) });
  };

const shift =
  (name: string): Maker =>
  (s, { operands, immediate: count, result }) =>
    s.emit(name, s.bits, result, [s.operand(operands[0]), immediate(count)], { memoryAt: s.evex ? 0 : NONE });

const load =
  (name: string): Maker =>
  (s, { operands, immediate: offset, result }) =>
    s.emit(name, s.bits, result, [s.address(operands[0], offset)]);

const store =
  (name: string): Maker =>
  (s, { operands, immediate: offset }) =>
    s.emit(name, s.bits, NONE, [s.address(operands[0], offset), value(operands[1])]);

/** The low bytes or halves of lanes: EVEX narrows on its way to memory, VEX packs inside halves of a register. */
const storeLow =
  (bytes: 1 | 2, narrow: string): Maker =>
  (s, { operands, immediate: offset }) => {
    const at = s.address(operands[0], offset);
    if (s.evex) return s.emit(narrow, s.bits, NONE, [at, value(operands[1])]);
    const temporary = (name: string, bits: 128 | 256, sources: Source[], options?: CodeOptions): Source => {
      const id = s.fresh("vector");
      s.emit(name, bits, id, sources, options);
      return value(id);
    };
    const low = temporary("vpand", 256, [value(operands[1]), s.lanes(bytes === 1 ? 0xff : 0xffff)], { memoryAt: 1 });
    const halves = temporary("vpackusdw", 256, [low, low]);
    if (bytes === 2) {
      const QUARTERS = 0b1000; // 64-bit quarters 0 and 2 to the front
      const all = temporary("vpermq", 256, [halves, immediate(QUARTERS)]);
      return s.emit("vmovups", 128, NONE, [at, all]);
    }
    const packed = temporary("vpackuswb", 256, [halves, halves]);
    const high = temporary("vextracti128", 256, [packed, immediate(1)]);
    s.emit("vmovd", 128, NONE, [at, packed]);
    s.emit("vmovd", 128, NONE, [{ ...at, displacement: at.displacement + 4 }, high]);
  };

const splat =
  (isInt: boolean): Maker =>
  (s, { operands, result }) => {
    const x = s.operand(operands[0]);
    const name = isInt ? "vpbroadcastd" : "vbroadcastss";
    if (!isInt || x.kind === "place" || s.evex) {
      const known = isInt ? s.int(operands[0]) : x;
      if (known.kind === "immediate") return void s.program.constants.set(result, known.value);
      return s.emit(name, s.bits, result, [x], { memoryAt: 0, memory: "element" });
    }
    const known = s.int(operands[0]);
    if (known.kind === "immediate") return void s.program.constants.set(result, known.value);
    const low = s.fresh("vector");
    s.emit("vmovd", 128, low, [x], { memoryAt: 0, memory: "element" });
    s.emit(name, s.bits, result, [value(low)]);
  };

const QUIET_LESS = 0x11;

/** All ones or zero in each lane; in EVEX a mask register, spread out where not only selections use it. */
const compare =
  (name: string, condition?: number): Maker =>
  (s, { operands, op, result }) => {
    const [x, y] = [s.operand(operands[0]), s.operand(operands[1])];
    const [a, b] = op === "ints.eq" ? memoryLast(s, x, y) : [x, y];
    const sources = condition === undefined ? [a, b] : [a, b, immediate(condition)];
    const isMask = s.program.classes[result] === "mask";
    const compared = s.evex && !isMask ? s.fresh("mask") : result;
    s.emit(name, s.bits, compared, sources, { memoryAt: 1, memory: lanewise(s) });
    if (compared !== result) s.emit("vpmovm2d", s.bits, result, [value(compared)]);
  };

/** Truth table of vpternlogd: the second source where the first one's bit is set, else the third. */
const CHOOSE = 0xca;

const select: Maker = (s, { operands: [mask, a, b], result }) => {
  if (s.program.classes[mask] === "mask") {
    return s.emit("vblendmps", s.bits, result, [value(b), value(a)], { mask, memoryAt: 1, memory: "any" });
  }
  if (s.evex) {
    const sources = [value(mask), value(a), value(b), immediate(CHOOSE)];
    return s.emit("vpternlogd", s.bits, result, sources, { tied: true, memoryAt: 2, memory: "any" });
  }
  if (s.plan.isMask(mask))
    return s.emit("vblendvps", s.bits, result, [value(b), value(a), value(mask)], { memoryAt: 1 });
  const [chosen, others] = [s.fresh("vector"), s.fresh("vector")];
  s.emit("vpand", s.bits, chosen, [value(mask), value(a)], { memoryAt: 1 });
  s.emit("vpandn", s.bits, others, [value(mask), value(b)], { memoryAt: 1 });
  s.emit("vpor", s.bits, result, [value(chosen), value(others)], { memoryAt: 1 });
};

/** first * second + third, in whichever order suits memory, constants and what is used no more. */
const madd: Maker = (s, { operands, result }) => {
  let sign = "";
  const [x, y, c] = operands.map((id) => {
    const definition = s.definition(id);
    if (definition?.op !== "floats.neg" || !s.plan.absorbed.has(id)) return s.operand(id);
    sign = "n";
    return s.operand(definition.operands[0]);
  });
  const [a, b] = memoryLast(s, x, y);
  const name = (form: number): string => `vf${sign}madd${form}ps`;
  const way = (form: number, ...order: number[]): Way => ({ name: name(form), order });
  // the digits of a form say which operands are multiplied and which is added; the last may be memory
  let [sources, ways] = [
    [a, b, c],
    [way(231, 2, 0, 1), way(213, 0, 1, 2), way(213, 1, 0, 2)],
  ];
  if (c.kind === "place" || (isConstant(s, c) && b.kind !== "place")) ways = ways.slice(1);
  else if (b.kind === "place" || isConstant(s, b)) {
    [sources, ways] = [
      [a, c, b],
      [way(231, 1, 0, 2), way(132, 0, 1, 2)],
    ];
  }
  s.emit(ways[0].name, s.bits, result, sources, { tied: true, ways, memoryAt: 2, memory: lanewise(s) });
};

const ONES = 0x00010001;

/** Four byte products a lane: one instruction, or by pairs (exact where the unsigned bytes have 7 bits). */
const dotBytes: Maker = (s, { operands: [sum, signed, unsigned], result }) => {
  const bytes = [value(unsigned), s.operand(signed)];
  if (s.machine.dot === "u8") {
    return s.emit("vpdpbusd", s.bits, result, [value(sum), ...bytes], { tied: true, memoryAt: 2, memory: lanewise(s) });
  }
  const [pairs, products] = [s.fresh("vector"), s.fresh("vector")];
  s.emit("vpmaddubsw", s.bits, pairs, bytes, { memoryAt: 1 });
  const isFirst = s.program.constants.get(sum) === 0;
  s.emit("vpmaddwd", s.bits, isFirst ? result : products, [value(pairs), s.lanes(ONES)], { memoryAt: 1 });
  if (isFirst) return;
  s.emit("vpaddd", s.bits, result, [value(sum), value(products)], { memoryAt: 1, memory: lanewise(s) });
};

const table: Maker = (s, { immediate: index, result }) => s.emit("vmovups", s.bits, result, [s.table(index)]);

const lookup: Maker = (s, { operands: [table, codes], result }) =>
  s.emit("vpshufb", s.bits, result, [value(table), s.operand(codes)], { memoryAt: 1 });

const dotPairs: Maker = (s, { operands: [signed, unsigned], result }) =>
  s.emit("vpmaddubsw", s.bits, result, [value(unsigned), s.operand(signed)], { memoryAt: 1 });

/** Truncated, saturating, NaN gives 0: the instruction gives the least number for all it cannot convert. */
const toInts: Maker = (s, { operands: [x], result }) => {
  const number = value(x);
  const [ORDERED, NOT_LESS] = [0x07, 0x1d];
  if (s.evex) {
    const [ordered, over] = [s.fresh("mask"), s.fresh("mask")];
    const converted = s.fresh("vector");
    s.emit("vcmpps", s.bits, ordered, [number, number, immediate(ORDERED)]);
    s.emit("vcmpps", s.bits, over, [number, s.lanes(TOO_BIG), immediate(NOT_LESS)], { memoryAt: 1, memory: "any" });
    s.emit("vcvttps2dq", s.bits, converted, [number], { mask: ordered });
    return s.emit("vpblendmd", s.bits, result, [value(converted), s.lanes(0x7fffffff)], {
      mask: over,
      memoryAt: 1,
      memory: "any",
    });
  }
  const [ordered, kept, over, converted] = Array.from({ length: 4 }, () => s.fresh("vector"));
  s.emit("vcmpps", s.bits, ordered, [number, number, immediate(ORDERED)]);
  s.emit("vandps", s.bits, kept, [value(ordered), number]);
  s.emit("vcmpps", s.bits, over, [value(kept), s.lanes(TOO_BIG), immediate(NOT_LESS)], { memoryAt: 1 });
  s.emit("vcvttps2dq", s.bits, converted, [value(kept)]);
  s.emit("vpxor", s.bits, result, [value(converted), value(over)]); // 0x80000000 becomes 0x7fffffff
};

/** Puts the 128 bits that hold a lane into a register's low ones; returns what holds them and the lane among four. */
function quarterOf(s: Selection, id: number, lane: number): { id: number; lane: number } {
  if (lane < 4) return { id, lane };
  const quarter = s.fresh("vector");
  s.emit(s.evex ? "vextracti32x4" : "vextracti128", s.bits, quarter, [value(id), immediate(lane >> 2)]);
  return { id: quarter, lane: lane & 3 };
}

const lane =
  (isInt: boolean): Maker =>
  (s, { operands, immediate: number, result }) => {
    const { id, lane } = quarterOf(s, operands[0], number);
    if (!isInt) {
      if (lane === 0) s.emit("vmovups", 128, result, [value(id)], { isCopy: true });
      else s.emit("vpshufd", 128, result, [value(id), immediate(lane)]);
      return;
    }
    const low = s.fresh("general");
    if (lane === 0) s.emit("vmovd", 128, low, [value(id)]);
    else s.emit("vpextrd", 128, low, [value(id), immediate(lane)]);
    s.emit("movsxd", 64, result, [value(low)]);
  };

/** Lanes 0 .. distance - 1 get those from `distance` on. */
const rotate: Maker = (s, { operands: [x], immediate: distance, result }) => {
  const both = [value(x), value(x)];
  if (distance >= 4 && s.evex) return s.emit("valignd", s.bits, result, [...both, immediate(distance)]);
  if (distance >= 4) return s.emit("vextracti128", s.bits, result, [value(x), immediate(distance >> 2)]);
  const BY_ONE = 0b11_11_01_01;
  const BY_TWO = 0b11_10_11_10;
  s.emit("vpshufd", s.bits, result, [value(x), immediate(distance === 1 ? BY_ONE : BY_TWO)]);
};

/** Words 0 .. 15 of the converted pair are the second source's: they are put side by side with the first's. */
const pairBf16: Maker = (s, { operands: [a, b], result }) => {
  const both = s.fresh("vector");
  s.emit("vcvtne2ps2bf16", s.bits, both, [value(b), value(a)], { memoryAt: 1, memory: "any" });
  const order = s.fresh("vector");
  s.emit("vmovups", s.bits, order, [s.pairing()]);
  s.emit("vpermw", s.bits, result, [value(order), value(both)]);
};

const HALF = -0x80000000;

export const vectors: Partial<Record<OperationName, Maker>> = {
  "ints.splat": splat(true),
  "floats.splat": splat(false),
  "ints.load": load("vmovups"),
  "floats.load": load("vmovups"),
  "ints.loadSplat": load("vpbroadcastd"),
  "floats.loadSplat": load("vbroadcastss"),
  "ints.loadU8": load("vpmovzxbd"),
  "ints.loadS8": load("vpmovsxbd"),
  "ints.loadU16": load("vpmovzxwd"),
  "ints.loadS16": load("vpmovsxwd"),
  "floats.loadF16": load("vcvtph2ps"),
  "ints.store": store("vmovups"),
  "floats.store": store("vmovups"),
  "floats.storeOnce": store("vmovntps"),
  "ints.store8": storeLow(1, "vpmovdb"),
  "ints.store16": storeLow(2, "vpmovdw"),
  "floats.storeF16": (s, { operands, immediate: offset }: Do) =>
    s.emit("vcvtps2ph", s.bits, NONE, [s.address(operands[0], offset), value(operands[1]), immediate(0)]),
  "ints.add": commutative("vpaddd"),
  "ints.sub": ordered("vpsubd"),
  "ints.mul": commutative("vpmulld"),
  "ints.and": bits(["vpand", "vpandd"]),
  "ints.or": bits(["vpor", "vpord"]),
  "ints.xor": bits(["vpxor", "vpxord"]),
  "ints.shl": shift("vpslld"),
  "ints.shrU": shift("vpsrld"),
  "ints.shrS": shift("vpsrad"),
  "ints.shlHalves": shift("vpsllw"),
  "ints.shrSHalves": shift("vpsraw"),
  "ints.shrUHalves": shift("vpsrlw"),
  "ints.eq": compare("vpcmpeqd"),
  "ints.gtS": compare("vpcmpgtd"),
  "floats.lt": compare("vcmpps", QUIET_LESS),
  "ints.select": select,
  "floats.select": select,
  "ints.lane": lane(true),
  "floats.lane": lane(false),
  "ints.table": table,
  "ints.lookup": lookup,
  "ints.addHalves": commutative("vpaddw", "whole"),
  "ints.dotHalves": commutative("vpmaddwd", "whole"),
  "ints.dotPairs": dotPairs,
  "ints.dotBytes": dotBytes,
  "ints.fromFloats": toInts,
  "ints.pairBf16": pairBf16,
  "floats.add": commutative("vaddps"),
  "floats.sub": ordered("vsubps"),
  "floats.mul": commutative("vmulps"),
  "floats.div": ordered("vdivps"),
  "floats.madd": madd,
  "floats.min": minMax("vminps"),
  "floats.max": minMax("vmaxps"),
  "floats.sqrt": unary("vsqrtps"),
  "floats.abs": withBits(["vandps", "vpandd"], 0x7fffffff),
  "floats.neg": withBits(["vxorps", "vpxord"], HALF),
  "floats.nearest": (s, { operands, result }) =>
    s.emit(s.evex ? "vrndscaleps" : "vroundps", s.bits, result, [s.operand(operands[0]), immediate(8)], {
      memoryAt: 0,
      memory: lanewise(s),
    }),
  "floats.rotate": rotate,
  "floats.fromInts": unary("vcvtdq2ps"),
};
