// Small programs around one instruction each: load what it reads, run it, store everything that it may have changed. The
// emulator and the real processor run the same programs over the same bytes. Every program has a block of memory of its
// own; registers hold data, never addresses (which differ between the two).
import type { Instruction, Memory, Operand } from "../../src/lanes/x64/instruction.ts";
import type { Form, Role } from "../../src/lanes/x64/table.ts";

export const BLOCK_BYTES = 2048;
/** Where a block keeps what registers begin with, a memory operand, and what registers hold at the end. */
const VECTORS_IN = 0;
const GPRS_IN = 512;
const MASKS_IN = 640;
const MEMORY = 768;
const VECTORS_OUT = 1024;
const GPRS_OUT = 1536;
const MASKS_OUT = 1664;
const FLAGS_OUT = 1728;

const RAX = 0;
const RDX = 2;
const RDI = 7;
const WRITE_MASK = 4;

const gpr = (number: number): Operand => ({ kind: "gpr", number });
const immediate = (value: number): Operand => ({ kind: "immediate", value });
const vector = (number: number): Operand => ({ kind: "vector", number });
const mask = (number: number): Operand => ({ kind: "mask", number });
const op = (name: string, bits: Instruction["bits"], ...operands: Operand[]): Instruction => ({ name, bits, operands });

/** Immediates of an instruction: those that choose something, and some that choose nothing. */
function immediates(form: Form): number[] {
  if (form.name === "vcmpps") return Array.from({ length: 32 }, (_, i) => i);
  const role = form.roles.find(({ place }) => place === "immediate");
  if (role === undefined) return [0];
  if (role.bytes === 4) return [0x12345678, -77];
  if (role.bytes === 8) return [-(2 ** 45) - 3];
  if (role.letter === "IS") return [1, -3];
  if (form.name === "vcvtps2ph") return [0, 4];
  if (/^v(rnd|round)/.test(form.name)) return [0, 1, 2, 3, 4, 8, 0x21, 0x1a];
  return form.name.startsWith("v") ? [1, 2, 7, 0x13, 0x1b, 0x96, 0xe4] : [1, 5];
}

/** All ways to run a form at some bits: registers, memory, broadcast, masks. */
export function instructionsOf(form: Form, bits: Instruction["bits"]): Instruction[] {
  const numbers = form.evex && !form.vex ? [17, 2, 19, 20] : [1, 2, 3, 4];
  const operand = (role: Role, i: number, value: number): Operand => {
    if (role.place === "immediate") return immediate(value);
    if (role.place === "jump") return { kind: "target", label: 0 };
    if (role.register === "gpr") return gpr(8 + i);
    if (role.register === "mask") return mask(1 + i);
    return vector(numbers[i]);
  };
  const memory: Memory = { kind: "memory", base: RDI, displacement: MEMORY };
  const out: Instruction[] = [];
  for (const value of immediates(form)) {
    const registers = op(form.name, bits, ...form.roles.map((role, i) => operand(role, i, value)));
    const withMemory = (memory: Memory): Instruction => ({
      ...registers,
      operands: form.roles.map((role, i) => (role.memory ? memory : registers.operands[i])),
    });
    const variants = form.roles.some((role) => role.memory && role.register === undefined) ? [] : [registers];
    if (form.roles.some((role) => role.memory)) variants.push(withMemory(memory));
    if (form.broadcast !== 0) variants.push(withMemory({ ...memory, broadcast: true }));
    out.push(...variants);
    if (!form.evex || form.options.has("nomask")) continue;
    for (const variant of variants) {
      out.push({ ...variant, mask: { number: WRITE_MASK, zero: false } });
      if (variant.operands[0].kind === "vector") out.push({ ...variant, mask: { number: WRITE_MASK, zero: true } });
    }
  }
  return out;
}

/** Flags that an instruction leaves defined, as conditions that show them. */
function flagsOf({ name, operands }: Instruction): string[] {
  if (/^(add|sub|cmp|and|or|xor|test|neg|vu?comiss|kortest[bwdq])$/.test(name)) return ["b", "e", "s", "o", "p"];
  if (name === "imul") return ["b", "o"];
  if (!/^(shl|shr|sar)$/.test(name)) return [];
  const [, count] = operands;
  return count.kind === "immediate" && count.value === 1 ? ["b", "e", "s", "p", "o"] : ["b", "e", "s", "p"];
}

/** What has to stand around an instruction so that it means something. */
function surrounded(instruction: Instruction): Instruction[] {
  const { name, bits, operands } = instruction;
  const divisor = operands[0];
  if (name === "div")
    return [op("mov", 64, gpr(RDX), immediate(0)), op("or", bits, divisor, immediate(1)), instruction];
  if (/^(cmov|set)/.test(name)) return [op("cmp", 64, gpr(9), gpr(10)), instruction];
  if (name === "push") return [instruction, op("pop", 64, gpr(10))];
  if (name === "pop") return [op("push", 64, gpr(9)), instruction];
  if (name === "lea") {
    const sum: Memory = { kind: "memory", base: 9, index: 10, scale: 8, displacement: -1234567 };
    return [op("lea", bits, operands[0], sum)];
  }
  return [instruction];
}

/** The program of one instruction over block `block`. `wide`: vectors are 512 bits where they are loaded and stored. */
export function program(instruction: Instruction, block: number, wide: boolean): Instruction[] {
  const at = (offset: number): Memory => ({ kind: "memory", base: RDI, displacement: block * BLOCK_BYTES + offset });
  const used = (kind: "gpr" | "vector" | "mask"): number[] => [
    ...new Set(instruction.operands.flatMap((operand) => (operand.kind === kind ? [operand.number] : []))),
  ];
  const vectors = instruction.name === "vzeroupper" ? [1, 17] : used("vector");
  const masks = [...used("mask"), ...(instruction.mask === undefined ? [] : [WRITE_MASK])];
  const gprs = vectors.length > 0 ? used("gpr") : [RAX, RDX, 8, 9, 10];
  const [move, bits] = wide ? (["vmovdqu64", 512] as const) : (["vmovdqu", 256] as const);
  const moved: Instruction = {
    ...instruction,
    operands: instruction.operands.map((operand) =>
      operand.kind === "memory" ? { ...operand, displacement: operand.displacement + block * BLOCK_BYTES } : operand,
    ),
  };
  return [
    ...vectors.map((number, i) => op(move, bits, vector(number), at(VECTORS_IN + 64 * i))),
    ...masks.map((number, i) => op("kmovq", 0, mask(number), at(MASKS_IN + 8 * i))),
    ...gprs.map((number, i) => op("mov", 64, gpr(number), at(GPRS_IN + 8 * i))),
    ...surrounded(moved),
    ...flagsOf(instruction).map((condition, i) => op(`set${condition}`, 8, at(FLAGS_OUT + i))),
    ...gprs.map((number, i) => op("mov", 64, at(GPRS_OUT + 8 * i), gpr(number))),
    ...masks.map((number, i) => op("kmovq", 0, at(MASKS_OUT + 8 * i), mask(number))),
    ...vectors.map((number, i) => op(move, bits, at(VECTORS_OUT + 64 * i), vector(number))),
  ];
}

/** A jump over one move: whether it was taken shows in r8. */
export function jumpProgram(name: string, block: number): Instruction[] {
  const at = (offset: number): Memory => ({ kind: "memory", base: RDI, displacement: block * BLOCK_BYTES + offset });
  const target: Operand = { kind: "target", label: block };
  return [
    ...[8, 9, 10].map((number, i) => op("mov", 64, gpr(number), at(GPRS_IN + 8 * i))),
    op("cmp", 64, gpr(9), gpr(10)),
    op(name, 0, target),
    op("mov", 64, gpr(8), immediate(7)),
    op("label", 0, target),
    op("mov", 64, at(GPRS_OUT), gpr(8)),
  ];
}
