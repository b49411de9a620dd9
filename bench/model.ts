// Decode and prefill speed of a real model on the cpu executor, straight on the executor: no engine, no sampling.
// Prints tokens a second, weight bytes a second, and with --profile the share of each kernel.
// Run: node bench/model.ts MODEL.gguf [--threads N] [--tier wasm] [--prompt 512] [--decode 64] [--precision f32]
import { parseArgs } from "node:util";
import { type CpuTier, createCpuExecutor } from "../src/device/cpu/executor.ts";
import type { Program } from "../src/device/executor.ts";
import { openFileStore, readModelFiles } from "../src/engine/file-store.ts";
import { openModelFiles } from "../src/format/open-model-files.ts";
import { type Model, fillRopes, traceModel } from "../src/models/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    tier: { type: "string" },
    prompt: { type: "string", default: "512" },
    decode: { type: "string", default: "64" },
    precision: { type: "string", default: "fast" },
  },
});
const PAGE_SIZE = 32;
const promptTokens = Number(values.prompt);
const decodeTokens = Number(values.decode);
const pages = Math.ceil((promptTokens + decodeTokens) / PAGE_SIZE) + 1;

function setRows(model: Model, program: Program, first: number, count: number, ids: (i: number) => number): void {
  const positions = Array.from({ length: count }, (_, i) => first + i);
  for (const [i, position] of positions.entries()) {
    program.inputs.ids[i] = ids(position);
    program.inputs.positions[i] = position;
    program.inputs.sequences[i] = 0;
  }
  program.inputs.outputRows[0] = count - 1;
  for (const { name } of model.cacheGroups) {
    for (let i = 0; i < pages; i++) program.inputs[`pages.${name}`][i] = i;
    positions.forEach((position, i) => (program.inputs[`slots.${name}`][i] = position));
  }
  fillRopes(model, program.inputs, Int32Array.from(positions), 0);
}

const files = await openModelFiles(positionals[0]);
const model = await readModelFiles(files);
const executor = createCpuExecutor(values.tier === undefined ? {} : { tier: values.tier as CpuTier });
const trace = (rows: number) =>
  traceModel(model, {
    rows,
    sequences: 1,
    outputRows: 1,
    pages,
    pageSize: PAGE_SIZE,
    slots: Object.fromEntries(model.cacheGroups.map(({ name }) => [name, pages * PAGE_SIZE])),
    kvType: "f16",
  });
const loadFrom = performance.now();
const opened = await executor.open(
  openFileStore(files, model),
  { prompt: trace(Math.max(promptTokens, 9)), decode: trace(1) },
  { threads: Number(values.threads), precision: values.precision as "fast" | "f32" },
);
const loadMs = performance.now() - loadFrom;
const { prompt, decode } = opened.programs;

for (let round = 0; round < 3; round++) {
  setRows(model, prompt, 0, promptTokens, (i) => (i * 37 + 11) % 1000);
  const from = performance.now();
  await prompt.run({ rows: promptTokens, sequences: 1, outputRows: 1, pages });
  const promptMs = performance.now() - from;
  const tokenMs: number[] = [];
  let best = 0;
  for (let i = 0; i < decodeTokens; i++) {
    setRows(model, decode, promptTokens + i, 1, () => best);
    const start = performance.now();
    await decode.run({ rows: 1, sequences: 1, outputRows: 1, pages });
    tokenMs.push(performance.now() - start);
    best = decode.outputs.logits.reduce((at, x, j, all) => (x > all[at] ? j : at), 0);
  }
  const total = tokenMs.reduce((a, b) => a + b, 0);
  const least = Math.min(...tokenMs);
  const gigabytes = (opened.memory.bytesPerToken.decode / least / 1e6).toFixed(1);
  console.log(
    `prefill ${((promptTokens / promptMs) * 1000).toFixed(1)} tok/s; decode ${((decodeTokens / total) * 1000).toFixed(1)} tok/s, ` +
      `best ${(1000 / least).toFixed(1)} tok/s = ${gigabytes} GB/s`,
  );
}
console.log(`${executor.tier}, load ${(loadMs / 1000).toFixed(2)} s`, opened.memory);
await opened.close();
await files.close();
