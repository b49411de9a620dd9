// Runs the steps of one product over a memory of its own, on any machine: tensors are placed one after another with
// numbers that are none around them, so that whatever is read or written beside them shows.
import assert from "node:assert/strict";
import { type Gemm, gemmSteps } from "../../src/device/cpu/gemm.ts";
import { GEMM_TILE_SCRATCH_BYTES } from "../../src/device/cpu/kernels/gemm-tiles.ts";
import { type Place, type Step, type Word, valueOf } from "../../src/device/cpu/step.ts";
import type { ExtentValues } from "../../src/graph/index.ts";
import type { KernelMemory, TestMachine } from "./machines.ts";

/** Bits of a NaN. */
export const JUNK = 0x7fe5a5a5;
const ALIGNMENT = 64;
const SCRATCH = 4096;
/** Of a machine's memory, which its products share, so that each kernel is compiled once. */
const MEMORY_BYTES = 8 << 20;
const memories = new Map<TestMachine, KernelMemory>();

type TensorName = "a" | "b" | "bias" | "residual" | "out";

/** A product with f32 tensors in place of places; `accumulate`: the residual is what `out` holds. */
export interface GemmTask extends Omit<Gemm, TensorName> {
  readonly a: Float32Array;
  /** Of a weight the packed bytes. */
  readonly b: Float32Array;
  readonly bias?: Float32Array;
  readonly residual?: Float32Array;
  readonly accumulate?: boolean;
  readonly extents?: ExtentValues;
}

const place = (name: TensorName): Place => ({ kind: "plain", name });

/** The task's steps; temporaries are arena places in the order of `bytes`. */
function stepsOf(
  task: GemmTask,
  machine: TestMachine["machine"],
  unpackedBytes: number | undefined,
): { steps: Step[]; bytes: number[] } {
  const bytes: number[] = [];
  const { bias, residual, accumulate } = task;
  const gemm: Gemm = {
    ...task,
    a: place("a"),
    b: place("b"),
    out: place("out"),
    bias: bias && place("bias"),
    residual: residual && place(accumulate === true ? "out" : "residual"),
  };
  const packed = (size: number) => ({ place: { kind: "arena", index: bytes.push(size) - 1 } as const, isNew: true });
  const steps = gemmSteps(gemm, machine, packed, unpackedBytes);
  return { steps, bytes };
}

/**
 * out of (rows, outer) elements and what follows it, 16 of them. `parts` of each step: as planned, or so many; the last
 * one first. `unpackedBytes`: of a weight at a time.
 */
export function runGemm(
  host: TestMachine,
  task: GemmTask,
  elements: number,
  parts?: number,
  unpackedBytes?: number,
): Int32Array {
  const { steps, bytes } = stepsOf(task, host.machine, unpackedBytes);
  const { a, b, bias, residual } = task;
  const memory = memories.get(host) ?? host.createMemory(MEMORY_BYTES, SCRATCH);
  memories.set(host, memory);
  let end = SCRATCH + GEMM_TILE_SCRATCH_BYTES + ALIGNMENT;
  const reserve = (size: number): number => {
    const at = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = at + size + ALIGNMENT;
    assert.ok(end <= MEMORY_BYTES - (bias?.byteLength ?? 0) - ALIGNMENT, "the memory is too small for this product");
    return at;
  };
  const tensors = Object.entries({ a, b, bias, residual }).filter(
    (entry): entry is [string, Float32Array] => entry[1] !== undefined,
  );
  const offsets = new Map<string | number, number>(
    tensors.map(([name, { byteLength }]) => [name, reserve(byteLength)]),
  );
  // the memory ends where kernels may read no further
  if (bias !== undefined) offsets.set("bias", MEMORY_BYTES - ALIGNMENT - bias.byteLength);
  offsets.set("out", reserve(elements * 4));
  bytes.forEach((size, index) => offsets.set(index, reserve(size)));
  new Int32Array(memory.buffer, SCRATCH).fill(JUNK);
  for (const [name, values] of tensors) new Float32Array(memory.buffer, offsets.get(name), values.length).set(values);
  const out = offsets.get("out") as number;
  if (task.accumulate === true) new Float32Array(memory.buffer, out, elements).set(residual as Float32Array);
  const valueIn = wordValues(memory, offsets, task.extents ?? {});
  for (const step of steps) {
    memory.setRecord(
      64,
      step.kernel.words.map((name) => valueIn(step.words[name])),
    );
    const count = parts ?? step.parts(task.extents ?? {});
    for (let part = count - 1; part >= 0; part--) memory.run(step.kernel, 64, part, count);
  }
  return new Int32Array(memory.buffer, out, elements + 16).slice();
}

const wordValues =
  ({ base }: KernelMemory, offsets: ReadonlyMap<string | number, number>, extents: ExtentValues) =>
  (word: Word): number => {
    if (typeof word === "number") return word;
    if (!("kind" in word)) return valueOf(word, extents);
    return base + (offsets.get(word.kind === "arena" ? word.index : word.name) as number);
  };
