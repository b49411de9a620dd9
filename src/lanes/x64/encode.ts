// The bytes of one instruction whose form is chosen: prefixes (REX, VEX or EVEX), opcode, modrm, SIB, displacement and
// immediates. Source: Intel SDM volume 2, chapter 2. Not here: which form (assemble.ts), jumps (assemble.ts).
import { UnsupportedError } from "../../base/errors.ts";
import type { Instruction, Memory, Operand } from "./instruction.ts";
import type { Form, Role } from "./table.ts";

/** Bytes being written, and where they refer to the constant pool. */
export interface Code {
  readonly bytes: number[];
  /** A 32-bit field at `at` that is to hold the distance from `end` to the pool's byte `displacement`. */
  readonly poolFields: { readonly at: number; readonly end: number; readonly displacement: number }[];
}

/** What the prefixes and modrm are made of. */
interface Fields {
  reg: number;
  /** A register in modrm.rm, or memory. */
  rm: number | Memory | undefined;
  vvvv: number;
  /** Added to the opcode's last byte. */
  opcode: number;
  immediates: { value: number; bytes: number }[];
}

const registerOf = (operand: Operand): number => ("number" in operand ? operand.number : 0);

function fieldsOf(form: Form, instruction: Instruction): Fields {
  const fields: Fields = { reg: form.digit ?? 0, rm: undefined, vvvv: 0, opcode: 0, immediates: [] };
  form.roles.forEach((role, i) => {
    const operand = instruction.operands[i];
    if (role.place === "reg") fields.reg = registerOf(operand);
    else if (role.place === "vvvv") fields.vvvv = registerOf(operand);
    else if (role.place === "opcode") fields.opcode = registerOf(operand);
    else if (role.place === "rm") fields.rm = operand.kind === "memory" ? operand : registerOf(operand);
    else if (role.place === "immediateHigh") fields.immediates.push({ value: registerOf(operand) << 4, bytes: 1 });
    else if (operand.kind === "immediate") fields.immediates.push({ value: operand.value, bytes: role.bytes ?? 1 });
  });
  // tilezero: a modrm byte that names one register only.
  if (fields.rm === undefined && form.roles.some(({ place }) => place === "reg")) fields.rm = 0;
  return fields;
}

/** Bytes of memory that an operand of this role names. */
export function memoryBytes(role: Role, form: Form, instruction: Instruction, memory: Memory): number {
  if (memory.broadcast === true) return form.broadcast / 8;
  return role.bytes ?? instruction.bits / 8 / role.part;
}

/** Appends the instruction. `extended`: by EVEX. */
export function encode(form: Form, instruction: Instruction, extended: boolean, code: Code): void {
  const fields = fieldsOf(form, instruction);
  let unit = 1;
  if (extended) {
    const role = form.roles.findIndex(({ place }) => place === "rm");
    const operand = instruction.operands[role];
    if (operand?.kind === "memory") unit = memoryBytes(form.roles[role], form, instruction, operand);
    evexPrefix(form, instruction, fields, code.bytes);
  } else if (form.vex) {
    vexPrefix(form, instruction, fields, code.bytes);
  } else {
    rexPrefix(form, instruction, fields, code.bytes);
  }
  const last = form.opcode.length - 1;
  const change = (fields.opcode % 8) - (form.narrow && instruction.bits === 8 ? 1 : 0);
  form.opcode.forEach((byte, i) => code.bytes.push(i === last ? byte + change : byte));
  const immediateBytes = fields.immediates.reduce((sum, { bytes }) => sum + bytes, 0);
  if (form.modrm !== undefined) code.bytes.push(form.modrm);
  else if (typeof fields.rm === "number") code.bytes.push(0xc0 | ((fields.reg & 7) << 3) | (fields.rm & 7));
  else if (fields.rm !== undefined) {
    const withSib = form.roles.some(({ letter }) => letter === "MS");
    encodeMemory(fields.rm, fields.reg & 7, unit, immediateBytes, withSib, code);
  }
  for (const { value, bytes } of fields.immediates) little(code.bytes, value, bytes);
}

/** The fourth bit of a register number. */
const bit3 = (number: number): number => (number >> 3) & 1;
const bit4 = (number: number): number => (number >> 4) & 1;
const baseOf = (rm: Fields["rm"]): number => (typeof rm === "number" ? rm : typeof rm?.base === "number" ? rm.base : 0);
const indexOf = (rm: Fields["rm"]): number => (typeof rm === "object" ? (rm.index ?? 0) : 0);
const prefixCode = (prefix: number): number => [0, 0x66, 0xf3, 0xf2].indexOf(prefix);
const wideBit = (form: Form, instruction: Instruction): number =>
  form.wide === "bits" ? Number(instruction.bits === 64) : form.wide;

function rexPrefix(form: Form, instruction: Instruction, fields: Fields, out: number[]): void {
  if (instruction.bits === 16) out.push(0x66);
  const wide = Number(instruction.bits === 64 && !form.options.has("plain"));
  const last = Math.max(baseOf(fields.rm), fields.opcode);
  const rex = (wide << 3) | (bit3(fields.reg) << 2) | (bit3(indexOf(fields.rm)) << 1) | bit3(last);
  // Byte registers 4 .. 7 are spl .. dil with REX, ah .. bh without.
  const byteRegister = form.roles.some(
    ({ bytes }, i) =>
      (bytes ?? instruction.bits / 8) === 1 &&
      instruction.operands[i].kind === "gpr" &&
      registerOf(instruction.operands[i]) >= 4,
  );
  if (rex !== 0 || byteRegister) out.push(0x40 | rex);
}

function vexPrefix(form: Form, instruction: Instruction, fields: Fields, out: number[]): void {
  const [r, x, b] = [bit3(fields.reg), bit3(indexOf(fields.rm)), bit3(baseOf(fields.rm))];
  const wide = wideBit(form, instruction);
  const length = Number(instruction.bits === 256 || form.options.has("l1"));
  const tail = ((~fields.vvvv & 15) << 3) | (length << 2) | prefixCode(form.prefix);
  if (form.map === 1 && wide === 0 && x === 0 && b === 0) out.push(0xc5, ((r ^ 1) << 7) | tail);
  else out.push(0xc4, ((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | form.map, (wide << 7) | tail);
}

function evexPrefix(form: Form, instruction: Instruction, fields: Fields, out: number[]): void {
  // A vector register in modrm.rm has its fifth bit where memory has its index's fourth.
  const x = typeof fields.rm === "number" ? bit4(fields.rm) : bit3(indexOf(fields.rm));
  const b = bit3(baseOf(fields.rm));
  const broadcast = typeof fields.rm === "object" && fields.rm.broadcast === true;
  const length = instruction.bits === 512 ? 2 : instruction.bits === 256 ? 1 : 0;
  out.push(
    0x62,
    ((bit3(fields.reg) ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | ((bit4(fields.reg) ^ 1) << 4) | form.map,
    (wideBit(form, instruction) << 7) | ((~fields.vvvv & 15) << 3) | 4 | prefixCode(form.prefix),
    (Number(instruction.mask?.zero ?? false) << 7) |
      (length << 5) |
      (Number(broadcast) << 4) |
      ((bit4(fields.vvvv) ^ 1) << 3) |
      (instruction.mask?.number ?? 0),
  );
}

const RSP = 4;

/** modrm, SIB and displacement; `unit`: what an 8-bit displacement counts in. */
function encodeMemory(
  memory: Memory,
  reg: number,
  unit: number,
  immediateBytes: number,
  withSib: boolean,
  code: Code,
): void {
  const out = code.bytes;
  if (memory.base === "pool") {
    out.push((reg << 3) | 5);
    const at = out.length;
    code.poolFields.push({ at, end: at + 4 + immediateBytes, displacement: memory.displacement });
    little(out, 0, 4);
    return;
  }
  const { base, displacement } = memory;
  const low = base & 7;
  const near = displacement % unit === 0 && displacement / unit >= -128 && displacement / unit <= 127;
  // Without a displacement rbp and r13 would mean something else.
  const mode = displacement === 0 && low !== 5 ? 0 : near ? 1 : 2;
  if (memory.index === undefined && low !== RSP && !withSib) {
    out.push((mode << 6) | (reg << 3) | low);
  } else {
    const scale = [1, 2, 4, 8].indexOf(memory.scale ?? 1);
    out.push((mode << 6) | (reg << 3) | 4, (scale << 6) | (((memory.index ?? RSP) & 7) << 3) | low);
  }
  if (mode === 1) out.push((displacement / unit) & 255);
  else if (mode === 2) little(out, displacement, 4);
}

/** A whole number, little-endian, two's complement. */
function little(out: number[], value: number, bytes: number): void {
  if (!Number.isSafeInteger(value)) throw new UnsupportedError(`An immediate is ${value}, expected a whole number.`);
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < bytes; i++, rest >>= 8n) out.push(Number(rest & 255n));
}
