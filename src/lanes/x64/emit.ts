// Emits a traced kernel as x64 machine code: simplified (simplify.ts), instructions chosen (select.ts), constants placed
// (constants.ts), then values given registers: lives measured (live.ts), copies removed (coalesce.ts), registers given
// (allocate.ts), and what found none moved to memory (spill.ts) until all have one.
import type { TracedKernel } from "../ir.ts";
import { allocate } from "./allocate.ts";
import { assemble } from "./assemble.ts";
import { coalesce } from "./coalesce.ts";
import type { Program } from "./code.ts";
import { placeConstants } from "./constants.ts";
import { type Convention, type ConventionName, conventions, frameCode, generalOrder } from "./convention.ts";
import type { Instruction, Listing } from "./instruction.ts";
import { listCode } from "./listing.ts";
import { type Lives, MOMENTS, measureLives } from "./live.ts";
import { ConstantPool } from "./pool.ts";
import { select } from "./select.ts";
import { simplify } from "./simplify.ts";
import { type CodeFacts, codeFacts } from "./source.ts";
import { type Frame, spill } from "./spill.ts";

/** Machine code of a kernel; runs at any address that is a multiple of 64, called as the convention says. */
export function emitCode(
  traced: TracedKernel,
  machine: CodeFacts,
  name: ConventionName = "systemV",
): Uint8Array<ArrayBuffer> {
  return assemble(emitListing(traced, machine, name));
}

/** Instructions of a kernel; `machine` is one of machines.ts. */
export function emitListing(traced: TracedKernel, machine: CodeFacts, name: ConventionName = "systemV"): Listing {
  const convention: Convention = conventions[name];
  const pool = new ConstantPool();
  const frame: Frame = { bytes: 0 };
  const program = select(simplify(traced), codeFacts(traced, machine), convention.arguments, pool);
  placeConstants(program, frame, pool);
  const { lives, registers } = giveRegisters(program, convention, frame, pool);
  const body = listCode(program, lives.order, registers);
  const { before, after } = frameCode(convention, usedRegisters(body), frame.bytes);
  const end: Instruction = { name: "vzeroupper", bits: 0, operands: [] };
  return { name: traced.name, instructions: [...before, ...body, end, ...after], pool: pool.finish() };
}

function giveRegisters(
  program: Program,
  convention: Convention,
  frame: Frame,
  pool: ConstantPool,
): { lives: Lives; registers: readonly number[] } {
  const file = {
    general: generalOrder(convention),
    vector: Array.from({ length: program.vectors }, (_, i) => i),
    mask: [1, 2, 3, 4, 5, 6, 7],
  };
  for (;;) {
    const lives = measureLives(program);
    coalesce(program, lives);
    const { registers, spilled } = allocate(program, lives.lives, file, reservedRanges(lives), preferences(lives));
    if (spilled.length === 0) return { lives, registers };
    spill(program, spilled, frame, pool);
  }
}

/** Where general registers hold arguments that are still to be read, or are overwritten by an instruction. */
function reservedRanges({ order }: Lives): Map<number, number[]> {
  const reserved = new Map<number, number[]>();
  const add = (register: number, from: number, to: number): void => {
    const ranges = reserved.get(register);
    if (ranges === undefined) reserved.set(register, [from, to]);
    else ranges.push(from, to);
  };
  for (const { fixed, clobbers, at } of order) {
    if (fixed >= 0) add(fixed, 0, at * MOMENTS + 1);
    for (const register of clobbers ?? []) add(register, at * MOMENTS, (at + 1) * MOMENTS);
  }
  return reserved;
}

/** Arguments stay where they came in, if they can. */
function preferences({ order }: Lives): Map<number, number> {
  return new Map(order.filter(({ fixed }) => fixed >= 0).map(({ result, fixed }) => [result, fixed]));
}

function usedRegisters(instructions: readonly Instruction[]): { generals: Set<number>; vectors: Set<number> } {
  const [generals, vectors] = [new Set<number>(), new Set<number>()];
  for (const { operands } of instructions) {
    for (const operand of operands) {
      if (operand.kind === "gpr") generals.add(operand.number);
      if (operand.kind === "vector") vectors.add(operand.number);
    }
  }
  return { generals, vectors };
}
