// Runs a listing as an x64 processor would, bit by bit, over plain memory whose first byte has address 0: so kernels are
// checked on machines that lack their instructions. A listing is called as kernel(record, part, parts, scratch).
// Throws Fault for what would end the process, and for a register that is not given back.
import { chooseForm } from "../../../src/lanes/x64/assemble.ts";
import type { Instruction, Listing } from "../../../src/lanes/x64/instruction.ts";
import { showInstruction } from "../../../src/lanes/x64/show.ts";
import { conversions } from "./convert.ts";
import { floats } from "./floats.ts";
import { general } from "./general.ts";
import { ints } from "./ints.ts";
import { masks } from "./masks.ts";
import { moves } from "./moves.ts";
import type { Decoded, Step } from "./operands.ts";
import { Fault, State, VECTOR_BYTES } from "./state.ts";
import { tiles } from "./tiles.ts";
import { type Operation, vectorStep } from "./vector.ts";

export interface CallArguments {
  readonly record: number;
  readonly part: number;
  readonly parts: number;
  readonly scratch: number;
}

const operations: Readonly<Record<string, Operation>> = { ...floats, ...ints, ...moves, ...conversions, ...masks };
const others: Readonly<Record<string, (decoded: Decoded) => Step>> = { ...general, ...tiles };

/** Far more than a kernel over a test's shapes takes. */
const INSTRUCTIONS_MAX = 100e6;
/** Where arguments are given, and what a function gives back as it was (of vectors, the low 128 bits). */
const conventions = {
  systemV: { given: [7, 6, 2, 1], kept: [3, 4, 5, 12, 13, 14, 15], keptVectors: [] },
  windows: {
    given: [1, 2, 8, 9],
    kept: [3, 4, 5, 6, 7, 12, 13, 14, 15],
    keptVectors: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  },
} as const;
export type ConventionName = keyof typeof conventions;

/** Whether the emulator knows an instruction. */
export const knows = (name: string): boolean =>
  Object.hasOwn(operations, name) || Object.hasOwn(others, name) || name === "ret" || name === "vzeroupper";

function step(decoded: Decoded, end: number): Step {
  const { instruction, state } = decoded;
  if (instruction.name === "ret") return () => end;
  if (instruction.name === "vzeroupper") {
    return () => {
      for (let i = 0; i < 16; i++) state.clear(i * VECTOR_BYTES + 16, VECTOR_BYTES - 16);
    };
  }
  if (Object.hasOwn(operations, instruction.name)) return vectorStep(decoded, operations[instruction.name]);
  if (Object.hasOwn(others, instruction.name)) return others[instruction.name](decoded);
  throw new Error(`The emulator does not know ${instruction.name}.`);
}

/** Runs a listing as often as it is called; returns how many instructions a call took. */
export type Emulated = (call: CallArguments) => number;

/** Prepares a listing to run over `memory`, which is what it reads and writes. */
export function emulator(listing: Listing, memory: ArrayBufferLike, name: ConventionName = "systemV"): Emulated {
  const state = new State(memory, listing.pool);
  const code: Instruction[] = [];
  const labels = new Map<number, number>();
  for (const instruction of listing.instructions) {
    const [operand] = instruction.operands;
    if (instruction.name === "label" && operand.kind === "target") labels.set(operand.label, code.length);
    else code.push(instruction);
  }
  const steps = code.map((instruction) => {
    const { form } = chooseForm(listing, instruction);
    return step({ instruction, form, state, labels }, code.length);
  });
  const { given, kept, keptVectors } = conventions[name];
  const keptBytes = (): bigint[] => [
    ...kept.map((register) => state.gpr[register]),
    ...keptVectors.flatMap((register) => [state.u64[8 * register], state.u64[8 * register + 1]]),
  ];

  return ({ record, part, parts, scratch }) => {
    state.forget();
    [record, part, parts, scratch].forEach((value, i) => (state.gpr[given[i]] = BigInt(value)));
    const before = keptBytes();
    let count = 0;
    let at = 0;
    try {
      for (; at < steps.length; count++) {
        if (count > INSTRUCTIONS_MAX) throw new Fault("it does not end");
        at = steps[at]() ?? at + 1;
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault(`${listing.name}, instruction ${at}, ${showInstruction(code[at])}: ${error.message}`);
    }
    if (keptBytes().some((value, i) => value !== before[i])) {
      throw new Fault(`${listing.name} does not give registers back to its caller as they were`);
    }
    return count;
  };
}

/** Runs a listing once. */
export function emulate(listing: Listing, memory: ArrayBufferLike, call: CallArguments): number {
  return emulator(listing, memory)(call);
}
