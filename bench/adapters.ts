// What adapters that are attached cost: tokens a second of one sequence, of four at once, and of reading a prompt, with none,
// one and four adapters of a rank over all projections, in turns, best of a few. Weights of the adapters are random.
// Run: node bench/adapters.ts MODEL.gguf [--rank 16] [--threads 2] [--rounds 3] [--tokens 32] [--prompt 256]
import { parseArgs } from "node:util";
import { openPacks } from "../src/chat/packs.ts";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { type AttachedAdapter, roomFor } from "../src/engine/adapters.ts";
import type { AdapterTables } from "../src/engine/adapter-tables.ts";
import { originOf } from "../src/engine/file-origin.ts";
import { openFileStore, readModelFiles } from "../src/engine/file-store.ts";
import { type Engine, type GenerateRequest, openEngine } from "../src/engine/index.ts";
import { openModelFiles } from "../src/format/open-model-files.ts";
import { projectionsOf } from "../src/models/adapter.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rank: { type: "string", default: "16" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    tokens: { type: "string", default: "32" },
    prompt: { type: "string", default: "256" },
  },
});
const [rank, threads, rounds, tokens, promptTokens] = [
  values.rank,
  values.threads,
  values.rounds,
  values.tokens,
  values.prompt,
].map(Number);

await using files = await openModelFiles(positionals[0]);
const model = await readModelFiles(files);
const store = { ...openFileStore(files, model), origin: () => originOf(files, model.parameters) };
const executor = createCpuExecutor({});

function randomAdapter(): AdapterTables {
  const random = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => (Math.random() - 0.5) / 64);
  const projections = projectionsOf(model).map((name) => {
    const { rows: outer, columns: inner } = model.parameters.get(`${name}.weight`)!;
    return [name, { rank, inner, outer, a: random(rank * inner), b: random(outer * rank) }] as const;
  });
  return { file: "random", projections: new Map(projections) };
}

interface Case {
  readonly name: string;
  readonly engine: Engine;
  readonly requests: readonly Pick<GenerateRequest, "adapter">[];
  /** Tokens a second: of one sequence, of four at once, of the prompt. */
  readonly best: [number, number, number];
}

const cases: Case[] = [];
for (const count of [0, 1, 4]) {
  const tables = Array.from({ length: count }, randomAdapter);
  const adapters = count === 0 ? undefined : roomFor(model, tables);
  const openFrom = performance.now();
  const options = { window: 1024, slots: 4, threads, packs: openPacks({}), adapters };
  const engine = await openEngine(model, store, executor, options);
  const opened = performance.now();
  const attached: (AttachedAdapter | undefined)[] = [];
  for (const one of tables) attached.push(await engine.attach(one));
  const ms = [opened - openFrom, performance.now() - opened].map((time) => time.toFixed(0));
  console.log(`${count} adapters: opened in ${ms[0]} ms (${engine.weights.from}), attached in ${ms[1]} ms`);
  const requests = Array.from({ length: 4 }, (_, i) => ({ adapter: count === 0 ? undefined : attached[i % count] }));
  cases.push({ name: `${count} adapters`, engine, requests, best: [0, 0, 0] });
  if (count === 4) {
    const none = requests.map(() => ({ adapter: undefined }));
    cases.push({ name: "4 adapters, rows of none", engine, requests: none, best: [0, 0, 0] });
  }
}

const ids = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => (i * 37 + seed * 11 + 5) % 1000);
async function endOf(engine: Engine, request: GenerateRequest) {
  for await (const event of engine.generate({ ...request, reproducible: true })) {
    if (event.type === "end") return event.timings;
  }
  throw new Error("a reply without an end");
}

for (let round = 0; round < rounds; round++) {
  for (const { engine, requests, best } of cases) {
    const one = await endOf(engine, { ids: ids(round, promptTokens), ...requests[0], maxTokens: tokens });
    const replies = requests.map((request, i) => endOf(engine, { ids: ids(i, 8), ...request, maxTokens: tokens }));
    const four = (await Promise.all(replies)).reduce(
      (sum, { decodeTokensPerSecond }) => sum + decodeTokensPerSecond,
      0,
    );
    for (const [i, speed] of [one.decodeTokensPerSecond, four, one.prefillTokensPerSecond].entries()) {
      best[i] = Math.max(best[i], speed);
    }
  }
}
const [plain] = cases;
console.log(
  `rank ${rank}, ${threads} threads, ${executor.tier}; tokens a second, best of ${rounds}, and share of none`,
);
for (const { name, best } of cases) {
  const shown = best.map((speed, i) => `${speed.toFixed(1)} (${(speed / plain.best[i]).toFixed(3)})`);
  console.log(`${name}: one ${shown[0]}, four at once ${shown[1]}, prompt of ${promptTokens} ${shown[2]}`);
}
for (const { engine } of new Map(cases.map((one) => [one.engine, one])).values()) await engine.close();
