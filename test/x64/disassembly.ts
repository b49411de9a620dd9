// An instruction as objdump writes it (-M intel), so that its reading of our bytes can be compared with what was meant.
import type { Instruction, Memory, Operand } from "../../src/lanes/x64/instruction.ts";
import { memoryBytes } from "../../src/lanes/x64/encode.ts";
import type { Form, Role } from "../../src/lanes/x64/table.ts";

const wordNames = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const byteNames = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const sizeNames: Readonly<Record<number, string>> = {
  1: "BYTE",
  2: "WORD",
  4: "DWORD",
  8: "QWORD",
  16: "XMMWORD",
  32: "YMMWORD",
  64: "ZMMWORD",
};
/** Names that objdump gives a comparison by its immediate. */
const predicates: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  vcmpps: { 1: "vcmpltps", 30: "vcmpgt_oqps" },
};
/** Ours say the source's width, or nothing where Intel's say movabs. */
const names: Readonly<Record<string, string>> = {
  movzx8: "movzx",
  movzx16: "movzx",
};
const withoutSize = new Set(["lea", "ldtilecfg", "tileloadd", "tileloaddt1", "tilestored"]);

function gprName(number: number, bytes: number): string {
  if (number >= 8) return `r${number}${{ 1: "b", 2: "w", 4: "d", 8: "" }[bytes]}`;
  if (bytes === 1) return byteNames[number];
  return `${{ 2: "", 4: "e", 8: "r" }[bytes]}${wordNames[number]}`;
}

const vectorName = (number: number, bytes: number): string => `${bytes > 32 ? "z" : bytes > 16 ? "y" : "x"}mm${number}`;

function hex(value: number, bits: number): string {
  return `0x${BigInt.asUintN(bits, BigInt(value)).toString(16)}`;
}

/** [base+index*scale+0x12]; the pool as the address that it has. */
function memoryText(memory: Memory, poolAt: number): string {
  if (memory.base === "pool") return `[pool ${hex(poolAt + memory.displacement, 64)}]`;
  const { displacement } = memory;
  const sign = displacement < 0 ? "-" : "+";
  // r12 and rsp as they are; rbp and r13 always have a displacement, which objdump writes out.
  const shown = displacement !== 0 || (memory.base & 7) === 5;
  const index = memory.index === undefined ? "" : `+${gprName(memory.index, 8)}*${memory.scale ?? 1}`;
  return `[${gprName(memory.base, 8)}${index}${shown ? `${sign}${hex(Math.abs(displacement), 64)}` : ""}]`;
}

function operandText(form: Form, role: Role, instruction: Instruction, operand: Operand, poolAt: number): string {
  const width = role.bytes ?? instruction.bits / 8 / role.part;
  switch (operand.kind) {
    case "gpr":
      return gprName(operand.number, width);
    case "vector":
      return vectorName(operand.number, instruction.bits < 128 ? 16 : width);
    case "mask":
      return `k${operand.number}`;
    case "tile":
      return `tmm${operand.number}`;
    case "immediate": {
      const signed = role.letter === "IS" || role.bytes === 4;
      return hex(operand.value, signed ? instruction.bits : 8 * role.bytes!);
    }
    case "memory": {
      const text = memoryText(operand, poolAt);
      if (operand.broadcast === true) {
        // Where the destination's name does not tell how many lanes are read, it is written out.
        const lanes =
          form.roles[0].part > 1 && instruction.bits < 512 ? `{1to${instruction.bits / form.broadcast}}` : "";
        return `${sizeNames[form.broadcast / 8]} BCST ${text}${lanes}`;
      }
      if (withoutSize.has(form.name)) return text;
      return `${sizeNames[memoryBytes(role, form, instruction, operand)]} PTR ${text}`;
    }
    default:
      return `L${operand.label}`;
  }
}

/** The text of one instruction, its pool reference as "[pool 0xaddress]". */
export function disassemblyOf(form: Form, instruction: Instruction, poolAt: number): string {
  const immediate = instruction.operands.at(-1);
  const value = immediate?.kind === "immediate" ? immediate.value : 0;
  const predicate = predicates[form.name]?.[value];
  const wide = form.name === "mov" && form.roles[1].bytes === 8;
  const name = predicate ?? (wide ? "movabs" : (names[form.name] ?? form.name));
  const operands = instruction.operands.map((operand, i) =>
    operandText(form, form.roles[i], instruction, operand, poolAt),
  );
  if (predicate !== undefined) operands.pop();
  const { mask } = instruction;
  if (mask !== undefined) operands[0] += `{k${mask.number}}${mask.zero ? "{z}" : ""}`;
  return `${name} ${operands.join(",")}`.trim();
}

/** A line of objdump's, without its address and bytes, in the same form. */
export function normalised(line: string): string {
  const text = line.replace(/^\s*[0-9a-f]+:\s*/, "");
  const comment = /#\s*(0x[0-9a-f]+)/.exec(text);
  return text
    .replace(/\s*#.*$/, "")
    .replace(/\[rip[+-]0x[0-9a-f]+\]/, `[pool ${comment?.[1]}]`)
    .replace(/^\{e?vex\} /, "")
    .replace(/\s+/, " ")
    .trim();
}
