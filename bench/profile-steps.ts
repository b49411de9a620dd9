// Where the time of a program's run goes, step by step, on one thread: opens a model, runs decode (or a prompt) once, then
// plays its step table again and again on this thread and keeps each part's fastest time, so other work on the cores
// disturbs little. Prints time, share, and weight bytes a second by kernel, and how many steps there are.
// Run: node bench/profile-steps.ts MODEL.gguf [--tier avx2] [--rows 1] [--position 64] [--rounds 30]
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import type { ModelCode } from "../src/device/cpu/code.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS, Word } from "../src/device/cpu/control.ts";
import { openModel } from "../src/device/cpu/open-model.ts";
import { type PackedFormat, packedBytes } from "../src/device/cpu/packed-layouts.ts";
import { kernelFunctions } from "../src/device/cpu/thread-code.ts";
import { type CpuTier, chooseTier } from "../src/device/cpu/tiers.ts";
import { openFileStore, readModelFiles } from "../src/engine/file-store.ts";
import { openModelFiles } from "../src/format/open-model-files.ts";
import type { Kernel } from "../src/lanes/index.ts";
import { fillRopes, traceModel } from "../src/models/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: "string" },
    rows: { type: "string", default: "1" },
    position: { type: "string", default: "64" },
    rounds: { type: "string", default: "30" },
    steps: { type: "boolean", default: false },
  },
});
const PAGE_SIZE = 32;
const rows = Number(values.rows);
const first = Number(values.position);
const pages = Math.ceil((first + rows) / PAGE_SIZE) + 1;

const tier = chooseTier((values.tier ?? createCpuExecutor().tier) as CpuTier);
let kernels: readonly Kernel[] = [];
let code: ModelCode | undefined;
let memory: WebAssembly.Memory | undefined;
const spied: typeof tier = {
  ...tier,
  compile(list, machine, shared) {
    kernels = list;
    memory = shared;
    return (code = tier.compile(list, machine, shared));
  },
};

const files = await openModelFiles(positionals[0]);
const model = await readModelFiles(files);
const graph = traceModel(model, {
  rows,
  sequences: rows > 8 ? 1 : rows,
  outputRows: rows > 8 ? 1 : rows,
  pages,
  pageSize: PAGE_SIZE,
  slots: Object.fromEntries(model.cacheGroups.map(({ name }) => [name, rows * pages * PAGE_SIZE])),
  kvType: "f16",
});
await using opened = await openModel(spied, openFileStore(files, model), { decode: graph }, { threads: 1 });
const program = opened.programs.decode;
const isBatch = rows <= 8;
for (let row = 0; row < rows; row++) {
  const position = isBatch ? first : first + row;
  program.inputs.ids[row] = 100 + row;
  program.inputs.positions[row] = position;
  program.inputs.sequences[row] = isBatch ? row : 0;
  for (const { name } of model.cacheGroups) {
    const at = isBatch ? row * pages : 0;
    program.inputs[`slots.${name}`][row] = at * PAGE_SIZE + position;
    for (let i = 0; i < pages; i++) program.inputs[`pages.${name}`][at + i] = at + i;
  }
}
program.inputs.outputRows.set(isBatch ? Array.from({ length: rows }, (_, i) => i) : [rows - 1]);
const positions = Int32Array.from({ length: rows }, (_, i) => (isBatch ? first : first + i));
fillRopes(model, program.inputs, positions, 0);
const outputs = isBatch ? rows : 1;
await program.run({ rows, sequences: outputs, outputRows: outputs, pages });

const buffer = memory!.buffer;
const words = new Int32Array(buffer);
const wordBytes = tier.machine.word / 8;
const base = tier.native?.addressOf(buffer) ?? 0;
const scratch = Math.ceil((CONTROL_ADDRESS + CONTROL_BYTES) / 64) * 64; // the sleeping thread's
const functions = kernelFunctions(code!.threadCode, memory!, scratch);
const table = words[Word.program] / 4;
const steps = Array.from({ length: words[Word.steps] }, (_, i) => {
  const [kernel, record, parts] = words.subarray(table + i * STEP_WORDS, table + i * STEP_WORDS + 3);
  return {
    kernel,
    record,
    parts,
    bytes: weightBytes(kernels[kernel], record),
    best: new Float64Array(parts).fill(Infinity),
  };
}).filter(({ parts }) => parts > 0);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const step of steps) {
    for (let part = 0; part < step.parts; part++) {
      const from = performance.now();
      functions[step.kernel](base + step.record, part, step.parts, base + scratch);
      step.best[part] = Math.min(step.best[part], performance.now() - from);
    }
  }
}

/** What a step of products reads of weights, by its record. */
function weightBytes({ name, words: names }: Kernel, record: number): number {
  const formats = name.match(/(?<=^linear\.|\+)(f32|f16|bf16|q\d_[0-9k])/g) ?? [];
  const word = (name: string): number => words[(record + names.indexOf(name) * wordBytes) / 4];
  return formats.reduce((sum, format, n) => {
    const outer = names.includes(`outer${n}`) ? `outer${n}` : names.includes("outer0") ? "outer0" : "outer";
    return sum + packedBytes(format as PackedFormat, word(outer), word("columns"));
  }, 0);
}

interface Row {
  count: number;
  parts: number;
  ms: number;
  bytes: number;
}
const byKernel = new Map<string, Row>();
const msOf = (best: Float64Array): number => best.reduce((a, b) => a + b, 0);
for (const { kernel, parts, bytes, best } of steps) {
  const { name } = kernels[kernel];
  const row = byKernel.get(name) ?? { count: 0, parts: 0, ms: 0, bytes: 0 };
  byKernel.set(name, {
    count: row.count + 1,
    parts: row.parts + parts,
    ms: row.ms + msOf(best),
    bytes: row.bytes + bytes,
  });
}
const total = steps.reduce((sum, { best }) => sum + msOf(best), 0);
console.log(`${tier.name}, ${rows} rows at ${first}: ${steps.length} steps, ${total.toFixed(2)} ms on one thread`);
for (const [name, { count, parts, ms, bytes }] of [...byKernel].sort(([, a], [, b]) => b.ms - a.ms)) {
  const speed = bytes === 0 ? "" : ` ${(bytes / ms / 1e6).toFixed(1)} GB/s`;
  const share = ((100 * ms) / total).toFixed(1);
  console.log(
    `${ms.toFixed(3).padStart(9)} ms ${share.padStart(5)} %  x${count} (${((1000 * ms) / count).toFixed(1)} us, ` +
      `${(parts / count).toFixed(0)} parts)  ${name}${speed}`,
  );
}
