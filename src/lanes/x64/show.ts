// A listing as text, for people and for messages: near Intel's syntax, with the instruction's bits after its name. Not
// here: text that an assembler or a disassembler would agree with (the tests have that).
import type { Instruction, Listing, Operand } from "./instruction.ts";

const gprNames = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const gprName = (number: number): string => gprNames[number] ?? `r${number}`;

function showOperand(operand: Operand): string {
  switch (operand.kind) {
    case "gpr":
      return gprName(operand.number);
    case "vector":
      return `v${operand.number}`;
    case "mask":
      return `k${operand.number}`;
    case "tile":
      return `tmm${operand.number}`;
    case "immediate":
      return String(operand.value);
    case "target":
      return `L${operand.label}`;
    default: {
      const base = operand.base === "pool" ? "pool" : gprName(operand.base);
      const index = operand.index === undefined ? "" : ` + ${gprName(operand.index)}*${operand.scale ?? 1}`;
      return `[${base}${index} + ${operand.displacement}]${operand.broadcast === true ? "{1to}" : ""}`;
    }
  }
}

export function showInstruction({ name, bits, operands, mask }: Instruction): string {
  if (name === "label") return `${operands.map(showOperand).join("")}:`;
  const width = bits === 0 ? "" : `.${bits}`;
  const masked = mask === undefined ? "" : ` {k${mask.number}}${mask.zero ? "{z}" : ""}`;
  return `${name}${width} ${operands.map(showOperand).join(", ")}${masked}`.trimEnd();
}

/** One instruction a line. */
export function showListing(listing: Listing): string {
  return listing.instructions
    .map((instruction) => (instruction.name === "label" ? "" : "  ") + showInstruction(instruction))
    .join("\n");
}
