// Operands of general registers, memory and immediates as functions over a state: built once for an instruction, run as
// often as it is.
import { memoryBytes } from "../../../src/lanes/x64/encode.ts";
import type { Instruction, Memory, Operand } from "../../../src/lanes/x64/instruction.ts";
import type { Form, Role } from "../../../src/lanes/x64/table.ts";
import type { State } from "./state.ts";

/** What one instruction does; the index of the next one where that is not the following. */
export type Step = () => number | void;

/** An instruction, ready to be given a meaning. */
export interface Decoded {
  readonly instruction: Instruction;
  readonly form: Form;
  readonly state: State;
  /** Index of the step at a label. */
  readonly labels: ReadonlyMap<number, number>;
}

/** A place of up to 64 bits, unsigned. */
export interface Place {
  readonly bits: number;
  readonly read: () => bigint;
  readonly write: (value: bigint) => void;
}

/** The address that a memory operand stands for (for the pool: its offset there). */
export function addressOf(state: State, memory: Memory): () => number {
  const { base, index, scale = 1, displacement } = memory;
  if (base === "pool") return () => displacement;
  if (index === undefined) return () => state.address(base) + displacement;
  return () => state.address(base) + state.address(index) * scale + displacement;
}

/** Bytes of a general operand: its role's own, or the instruction's. */
const widthOf = (role: Role, instruction: Instruction): number => role.bytes ?? instruction.bits / 8;

export function place(decoded: Decoded, i: number): Place {
  const { state, form, instruction } = decoded;
  return operandPlace(state, form, form.roles[i], instruction, instruction.operands[i]);
}

function operandPlace(state: State, form: Form, role: Role, instruction: Instruction, operand: Operand): Place {
  switch (operand.kind) {
    case "gpr":
      return registerPlace(state, operand.number, 8 * widthOf(role, instruction));
    case "memory": {
      const bytes = memoryBytes(role, form, instruction, operand);
      const address = addressOf(state, operand);
      const inPool = operand.base === "pool";
      return {
        bits: 8 * bytes,
        read: () => state.readInteger(address(), bytes, inPool),
        write: (value) => state.writeInteger(address(), bytes, value),
      };
    }
    case "immediate": {
      // Immediates of general instructions are sign-extended to the instruction's bits.
      const value = BigInt.asUintN(instruction.bits, BigInt(operand.value));
      return { bits: instruction.bits, read: () => value, write: () => undefined };
    }
    default:
      throw new Error(`${instruction.name}: a ${operand.kind} is no general operand`);
  }
}

/** 32 bits clear the upper half of a register, 8 and 16 leave the rest as it is. */
function registerPlace(state: State, number: number, bits: number): Place {
  const { gpr } = state;
  const read = bits === 64 ? () => gpr[number] : () => BigInt.asUintN(bits, gpr[number]);
  if (bits >= 32) return { bits, read, write: (value) => void (gpr[number] = BigInt.asUintN(bits, value)) };
  const keep = BigInt.asUintN(64, -1n << BigInt(bits));
  return { bits, read, write: (value) => void (gpr[number] = (gpr[number] & keep) | BigInt.asUintN(bits, value)) };
}

/** The value of an immediate, as it stands. */
export function immediateOf({ instruction }: Decoded): number {
  const operand = instruction.operands.find(({ kind }) => kind === "immediate");
  return operand?.kind === "immediate" ? operand.value : 0;
}
