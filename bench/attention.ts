// Speed of attention on the cpu executor, with all that prepares it: decoding over a filled cache in GB/s of keys and
// values, prompts in GFLOP/s of the two products (2 · 2 · pairs of query and visible key · head size · heads), each beside
// what the machine does at most. Layers are many, so that the cache comes from memory; best of several, since other work
// shares the cores.
// Run: node bench/attention.ts [--tiers amx,avx2] [--models qwen,gemma] [--decode 1024,8192] [--prompt 512,2048] [--threads 2]
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { type CpuTier, findTier, tierNames } from "../src/device/cpu/tiers.ts";
import type { Program } from "../src/device/executor.ts";
import { measurePeaks } from "../src/eval/machine-speed.ts";
import { readBandwidth } from "../src/eval/read-bandwidth.ts";
import { type Graph, type Tensor, attention, graph, input, rope, state, writeRows } from "../src/graph/index.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string", default: tierNames.join(",") },
    models: { type: "string", default: "qwen,gemma" },
    decode: { type: "string", default: "256,1024,8192,16384" },
    prompt: { type: "string", default: "512,2048" },
    chunk: { type: "string", default: "512" },
    rows: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    precision: { type: "string", default: "fast" },
    rounds: { type: "string", default: "12" },
  },
});

interface Shape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly layers: number;
  readonly window?: number;
}

/** Full attention of Qwen2.5 1.5B, and of Gemma 3 270M its window layers. */
const shapes: Readonly<Record<string, Shape>> = {
  qwen: { heads: 12, kvHeads: 2, headSize: 128, layers: 28 },
  gemma: { heads: 4, kvHeads: 1, headSize: 256, layers: 18 },
  "gemma-window": { heads: 4, kvHeads: 1, headSize: 256, layers: 15, window: 512 },
};

const PAGE_SIZE = 64;
const threads = Number(values.threads);
const chunk = Number(values.chunk);
const numbers = (list: string): number[] => list.split(",").filter(Boolean).map(Number);

function graphOf({ heads, kvHeads, headSize, layers, window }: Shape, bound: number, pages: number): Graph {
  const rows = { name: "rows", bound };
  const matrix = (name: string, columns: number): Tensor => input(name, [rows, columns], "f32");
  const angles = [matrix("cos", headSize / 2), matrix("sin", headSize / 2)] as const;
  const turn = (x: Tensor): Tensor => rope(x, ...angles, { headSize, layout: "halves" });
  const slots = input("slots", [rows], "i32");
  const columns = kvHeads * headSize;
  const [q, k, v] = [matrix("q", heads * headSize), matrix("k", columns), matrix("v", columns)];
  const x = {
    pages: input(
      "pages",
      [
        { name: "sequences", bound: 8 },
        { name: "pages", bound: pages },
      ],
      "i32",
    ),
    positions: input("positions", [rows], "i32"),
    sequences: input("sequences", [rows], "i32"),
  };
  const outputs = Array.from({ length: layers }, (_, layer): [string, Tensor] => {
    const cached = (part: string): Tensor => state(`${part}.${layer}`, [pages * PAGE_SIZE, columns], "f16");
    const keys = writeRows(cached("keys"), slots, turn(k));
    const values = writeRows(cached("values"), slots, v);
    const attributes = { heads, kvHeads, scale: headSize ** -0.5, pageSize: PAGE_SIZE, ...(window && { window }) };
    return [`y${layer}`, attention({ ...x, q: turn(q), keys, values }, attributes)];
  });
  return graph(Object.fromEntries(outputs));
}

/** Rows at `first` and after; `filling`: they are written there but see only one key, which takes no time. */
function setRows(program: Program, first: number, count: number, pages: number, filling = false): void {
  const { inputs } = program;
  for (let i = 0; i < count; i++) {
    inputs.slots[i] = first + i;
    inputs.positions[i] = filling ? 0 : first + i;
    inputs.sequences[i] = 0;
  }
  for (let p = 0; p < pages; p++) inputs.pages[p] = p;
}

async function bestMs(rounds: number, run: () => Promise<void>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const pairsSeen = (first: number, end: number, window = Infinity): number => {
  let pairs = 0;
  for (let position = first; position < end; position++) pairs += Math.min(position + 1, window);
  return pairs;
};

async function measure(tier: CpuTier, name: string): Promise<void> {
  const shape = shapes[name];
  const { heads, kvHeads, headSize, layers, window = Infinity } = shape;
  const longest = Math.max(...numbers(values.decode), ...numbers(values.prompt), chunk);
  const pages = Math.ceil(longest / PAGE_SIZE) + 1;
  const found = findTier(tier);
  if (typeof found === "string") return console.log(`${tier}: ${found}`);
  const graphs = { decode: graphOf(shape, 8, pages), prompt: graphOf(shape, Math.max(chunk, 9), pages) };
  const store = { parameters: new Map(), readRows: () => Promise.reject(new Error("no weights")) };
  const precision = values.precision as "fast" | "f32";
  await using opened = await createCpuExecutor({ tier }).open(store, graphs, { threads, precision });
  const { decode, prompt } = opened.programs;
  for (const program of [decode, prompt]) {
    for (const part of ["q", "k", "v", "cos", "sin"]) {
      const array = program.inputs[part];
      for (let i = 0; i < array.length; i++) array[i] = ((i * 0x9e3779b1) >>> 8) / 2 ** 24 - 0.5;
    }
  }
  const numbersOf = { sequences: 1, pages };
  for (let first = 0; first < longest; first += chunk) {
    const count = Math.min(chunk, longest - first);
    setRows(prompt, first, count, pages, true);
    await prompt.run({ rows: count, ...numbersOf });
  }
  for (const keys of numbers(values.decode)) {
    const rows = Number(values.rows);
    setRows(decode, keys - rows, rows, pages);
    const seen = Math.ceil(keys / PAGE_SIZE);
    setRows(decode, keys - rows, rows, seen);
    const ms = await bestMs(Number(values.rounds), () => decode.run({ rows, sequences: 1, pages: seen }));
    const bytes = Math.min(keys, window) * 2 * kvHeads * headSize * 2 * layers;
    const most = await readBandwidth(threads);
    const speed = bytes / ms / 1e6;
    console.log(
      `${tier} ${name} decode x${rows} at ${keys}: ${ms.toFixed(2)} ms for ${(bytes / 1e6).toFixed(0)} MB = ${speed.toFixed(1)} GB/s, ` +
        `${((100 * speed) / most).toFixed(0)} % of ${most.toFixed(1)}; ${((1000 * ms) / layers).toFixed(1)} us a layer`,
    );
  }
  const { f32, bf16 } = await measurePeaks(found, threads);
  for (const end of numbers(values.prompt)) {
    const first = Math.max(0, end - chunk);
    setRows(prompt, first, end - first, pages);
    const ms = await bestMs(Math.ceil(Number(values.rounds) / 3), () =>
      prompt.run({ rows: end - first, ...numbersOf }),
    );
    const giga = (4 * pairsSeen(first, end, window) * headSize * heads * layers) / ms / 1e6;
    console.log(
      `${tier} ${name} prompt rows ${first}..${end}: ${ms.toFixed(1)} ms = ${giga.toFixed(0)} GFLOP/s, ` +
        `${((100 * giga) / f32).toFixed(0)} % of f32's ${f32}${bf16 === undefined ? "" : `, ${((100 * giga) / bf16).toFixed(0)} % of tiles' ${bf16}`}`,
    );
  }
}

for (const tier of values.tiers.split(",") as CpuTier[]) {
  for (const name of values.models.split(",")) await measure(tier, name);
}
