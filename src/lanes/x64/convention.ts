// Calling conventions: where a kernel's four arguments come in, which registers it must give back as they were, and the
// code that begins and ends it. The only file that knows a system's rules. Sources: System V ABI for AMD64, section 3.2;
// Microsoft, "x64 calling convention".
import type { Instruction, Memory } from "./instruction.ts";

export interface Convention {
  /** General registers of record, part, parts, scratch. */
  readonly arguments: readonly number[];
  /** General registers, and the low 128 bits of vector registers, that a function must preserve. */
  readonly preservedGenerals: readonly number[];
  readonly preservedVectors: readonly number[];
}

const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7];

export const conventions = {
  systemV: {
    arguments: [RDI, RSI, RDX, RCX],
    preservedGenerals: [RBX, RBP, 12, 13, 14, 15],
    preservedVectors: [],
  },
  windows: {
    arguments: [RCX, RDX, 8, 9],
    preservedGenerals: [RBX, RBP, RSI, RDI, 12, 13, 14, 15],
    preservedVectors: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  },
} as const satisfies Record<string, Convention>;
export type ConventionName = keyof typeof conventions;

/** Every general register but the stack's, those first that cost nothing to use. */
export function generalOrder({ preservedGenerals }: Convention): number[] {
  const all = Array.from({ length: 16 }, (_, i) => i).filter((number) => number !== RSP);
  return [...all.filter((n) => !preservedGenerals.includes(n)), ...all.filter((n) => preservedGenerals.includes(n))];
}

const gpr = (number: number) => ({ kind: "gpr", number }) as const;
const vector = (number: number) => ({ kind: "vector", number }) as const;
const immediate = (value: number) => ({ kind: "immediate", value }) as const;
export const stack = (displacement: number): Memory => ({ kind: "memory", base: RSP, displacement });

const XMM_BYTES = 16;
const FRAME_ALIGNMENT = 64;

/**
 * What comes before and after the body of a function with `frameBytes` of its own at the stack's end, 64-byte aligned,
 * which changes the given registers.
 */
export function frameCode(
  convention: Convention,
  used: { readonly generals: ReadonlySet<number>; readonly vectors: ReadonlySet<number> },
  frameBytes: number,
): { before: Instruction[]; after: Instruction[] } {
  const generals = convention.preservedGenerals.filter((number) => used.generals.has(number));
  const vectors = convention.preservedVectors.filter((number) => used.vectors.has(number));
  const before: Instruction[] = generals.map((number) => ({ name: "push", bits: 64, operands: [gpr(number)] }));
  const after: Instruction[] = [];
  const savedAt = Math.ceil(frameBytes / XMM_BYTES) * XMM_BYTES;
  const oldAt = savedAt + vectors.length * XMM_BYTES;
  if (oldAt > 0) {
    // rax is no argument and not preserved
    const bytes = Math.ceil((oldAt + 8) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
    before.push(
      { name: "mov", bits: 64, operands: [gpr(RAX), gpr(RSP)] },
      { name: "sub", bits: 64, operands: [gpr(RSP), immediate(bytes)] },
      { name: "and", bits: 64, operands: [gpr(RSP), immediate(-FRAME_ALIGNMENT)] },
      { name: "mov", bits: 64, operands: [stack(oldAt), gpr(RAX)] },
    );
    vectors.forEach((number, i) => {
      const at = stack(savedAt + i * XMM_BYTES);
      before.push({ name: "vmovups", bits: 128, operands: [at, vector(number)] });
      after.push({ name: "vmovups", bits: 128, operands: [vector(number), at] });
    });
    after.push({ name: "mov", bits: 64, operands: [gpr(RSP), stack(oldAt)] });
  }
  for (const number of generals.toReversed()) after.push({ name: "pop", bits: 64, operands: [gpr(number)] });
  after.push({ name: "ret", bits: 0, operands: [] });
  return { before, after };
}
