// Instructions that reach every row of the table and every way of encoding an operand: low and high registers, each
// form of memory operand, masks, broadcast, all widths. Only what can be encoded is made. Nothing here is executed.
import type { Instruction, Memory, Operand } from "../../src/lanes/x64/instruction.ts";
import { type Form, type Role, forms } from "../../src/lanes/x64/table.ts";

/** Register numbers by an operand's position; each bit of a number is seen set and clear at each position. */
const lowRegisters = [
  [1, 2, 3, 0],
  [6, 5, 4, 7],
];
const middleRegisters = [
  [8, 13, 11, 15],
  [14, 1, 12, 10],
  [2, 9, 7, 5],
  [3, 4, 10, 12],
];
const highRegisters = [
  [16, 21, 27, 31],
  [24, 6, 13, 22],
  [1, 30, 19, 9],
  [7, 10, 20, 16],
];

/** Immediates that are interesting, by a role's letter and bytes. */
function immediatesOf(form: Form, role: Role): number[] {
  if (form.name === "vcmpps") return [1, 30];
  if (role.letter === "IS") return [5, -3];
  if (role.bytes === 1) return [1, 0x1b];
  if (role.bytes === 4) return [0x12345678, -0x1234567];
  return [2 ** 52 + 12345, -(2 ** 40)];
}

/** Memory operands in units of `unit` bytes, the scale of EVEX's short displacement. */
function memories(unit: number, needsIndex: boolean): Memory[] {
  const plain: Memory[] = [0, 3, 4, 5, 12, 13].flatMap((base) => [
    { kind: "memory", base, displacement: 0 },
    { kind: "memory", base, displacement: unit },
    { kind: "memory", base, displacement: -128 * unit },
    { kind: "memory", base, displacement: 128 * unit },
    { kind: "memory", base, displacement: 1001 },
  ]);
  const indexed: Memory[] = [
    { kind: "memory", base: 2, index: 0, scale: 1, displacement: 0 },
    { kind: "memory", base: 5, index: 9, scale: 2, displacement: 0 },
    { kind: "memory", base: 13, index: 12, scale: 4, displacement: unit * 2 },
    { kind: "memory", base: 4, index: 6, scale: 8, displacement: -0x123456 },
    { kind: "memory", base: 12, index: 15, displacement: 0 },
  ];
  return needsIndex ? indexed : [...plain, ...indexed, { kind: "memory", base: "pool", displacement: 32 }];
}

function operandOf(role: Role, number: number, immediate: number): Operand {
  if (role.place === "jump") return { kind: "target", label: 0 };
  if (role.place === "immediate") return { kind: "immediate", value: immediate };
  switch (role.register) {
    case "gpr":
      return { kind: "gpr", number: number & 15 };
    case "mask":
      return { kind: "mask", number: number & 7 };
    case "tile":
      return { kind: "tile", number: number & 7 };
    case "vector":
      return { kind: "vector", number };
    default:
      return { kind: "memory", base: 0, index: 1, scale: 1, displacement: 0 };
  }
}

function ofForm(form: Form, bits: Instruction["bits"]): Instruction[] {
  const immediateRole = form.roles.find(({ place }) => place === "immediate");
  const immediates = immediateRole === undefined ? [0] : immediatesOf(form, immediateRole);
  const build = (numbers: number[], immediate: number): Instruction => ({
    name: form.name,
    bits,
    operands: form.roles.map((role, i) => operandOf(role, numbers[i], immediate)),
  });
  const numbers = [
    ...lowRegisters,
    ...(form.vex && bits === 512 ? [] : middleRegisters),
    ...(form.evex && form.roles.some(({ register }) => register === "vector") ? highRegisters : []),
  ];
  const hasRegisters = form.roles.some(({ register }) => register !== undefined);
  const out = (hasRegisters ? numbers : numbers.slice(0, 1)).flatMap((set) =>
    immediates.map((immediate) => build(set, immediate)),
  );

  const at = form.roles.findIndex(({ memory }) => memory);
  const [low, high] = [lowRegisters[0], form.evex ? highRegisters[0] : middleRegisters[0]];
  if (at >= 0) {
    const role = form.roles[at];
    const withMemory = (instruction: Instruction, memory: Memory): Instruction => ({
      ...instruction,
      operands: instruction.operands.map((operand, i) => (i === at ? memory : operand)),
    });
    const unit = role.bytes ?? Math.max(1, bits / 8 / role.part);
    for (const [set, registers] of [low, high].entries()) {
      if (set === 1 && !hasRegisters) continue;
      const instruction = build(registers, immediates[0]);
      for (const memory of memories(unit, role.letter === "MS")) {
        out.push(withMemory(instruction, memory));
        if (form.broadcast !== 0) out.push(withMemory(instruction, { ...memory, broadcast: true }));
      }
    }
  }
  if (form.evex && !form.options.has("nomask")) {
    const instruction = build(high, immediates[0]);
    const destination = instruction.operands[0].kind;
    for (const number of [1, 2, 7]) {
      out.push({ ...instruction, mask: { number, zero: false } });
      if (destination === "vector") out.push({ ...instruction, mask: { number, zero: true } });
    }
  }
  return out;
}

/** Every case, without jumps (whose encoding depends on where they stand). */
export function encodingCases(): Instruction[] {
  return forms
    .filter((form) => form.roles[0]?.place !== "jump")
    .flatMap((form) => form.bits.flatMap((bits) => ofForm(form, bits as Instruction["bits"])));
}
