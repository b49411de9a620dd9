// Speed of attention on the cpu executor, with all that prepares it (rotations, what is written to the cache): decoding
// over a filled cache by bytes of keys and values, beside memory; prompts by operations of the two products (2 * 2 * pairs
// of query and visible key * head size * heads), beside f32 or, where there are any, tiles. Layers are many, so that the
// cache comes from memory.
import { createCpuExecutor } from "../device/cpu/executor.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import type { OpenModel, Program } from "../device/executor.ts";
import {
  type Graph,
  type StateType,
  type Tensor,
  attention,
  graph,
  input,
  rope,
  state,
  writeRows,
} from "../graph/index.ts";
import { bytesForRow } from "../numeric/registry.ts";
import { type KernelSpeed, bestMs, kernelSpeed } from "./kernel-share.ts";
import type { Peaks } from "./machine-speed.ts";

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly layers: number;
  readonly window?: number;
}

/** Full attention of Qwen2.5 1.5B, and of Gemma 3 270M; window: its other layers. */
export const attentionShapes: Readonly<Record<"qwen" | "gemma" | "gemma-window", AttentionShape>> = {
  qwen: { heads: 12, kvHeads: 2, headSize: 128, layers: 28 },
  gemma: { heads: 4, kvHeads: 1, headSize: 256, layers: 18 },
  "gemma-window": { heads: 4, kvHeads: 1, headSize: 256, layers: 15, window: 512 },
};

export interface AttentionSpeedOptions {
  readonly tier: Tier;
  readonly threads: number;
  /** Of the same minute, with as many threads: what memory gives in 10^9 bytes a second, and operations. */
  readonly readGigabytes: number;
  readonly peaks: Peaks;
  readonly shape?: AttentionShape;
  readonly precision?: "fast" | "f32";
  /** Of keys and values. Default f16. */
  readonly type?: StateType;
  /** Keys that decoding sees. */
  readonly decode?: readonly number[];
  /** Where prompts end: the last `chunk` positions before are their rows. */
  readonly prompt?: readonly number[];
  readonly chunk?: number;
  /** Of decoding. */
  readonly rows?: number;
  /** For each. */
  readonly ms?: number;
}

const PAGE_SIZE = 64;
/** A prompt is bound by operations, whether its cache comes from memory or not. */
const PROMPT_LAYERS = 2;
/** Of a decoding run. */
const DECODE_ROWS = 8;

/** Speeds, one by one: of decoding, then of prompts. */
export async function* attentionSpeeds(options: AttentionSpeedOptions): AsyncGenerator<KernelSpeed> {
  const { tier, peaks, shape = attentionShapes.qwen, rows = 1, ms = 300, type = "f16" } = options;
  const { decode = [4096], prompt = [2048], chunk = 512 } = options;
  const { heads, kvHeads, headSize, layers, window = Infinity } = shape;
  const longest = Math.max(...decode, ...prompt);
  const pages = Math.ceil(longest / PAGE_SIZE) + 1;
  await using model = await open(options, shape, pages, chunk);
  const { programs } = model;
  await fillCache(programs.decode, longest);
  for (const keys of decode) {
    const seen = Math.ceil(keys / PAGE_SIZE);
    setRows(programs.decode, keys - rows, rows, seen);
    const time = await bestMs(ms, () => programs.decode.run({ rows, sequences: 1, pages: seen }));
    const bytes = Math.min(keys, window) * 2 * bytesForRow(type, kvHeads * headSize) * layers;
    const what = { class: "attention", kernel: `decode at ${keys}`, rows, bound: "memory" } as const;
    yield kernelSpeed(what, bytes / time / 1e6, options.readGigabytes);
  }
  const bound = tier.machine.tiles && options.precision !== "f32" ? "bf16" : "f32";
  for (const end of prompt) {
    const first = Math.max(0, end - chunk);
    setRows(programs.prompt, first, end - first, pages);
    const time = await bestMs(ms, () => programs.prompt.run({ rows: end - first, sequences: 1, pages }));
    const operations = 4 * pairsSeen(first, end, window) * headSize * heads * Math.min(layers, PROMPT_LAYERS);
    const what = { class: "attention", kernel: `prompt to ${end}`, rows: end - first, bound } as const;
    yield kernelSpeed(what, operations / time / 1e6, peaks[bound] as number);
  }
}

/** Opens both programs over one cache, with numbers in the inputs. */
async function open(
  { tier, threads, precision = "fast", type = "f16" }: AttentionSpeedOptions,
  shape: AttentionShape,
  pages: number,
  chunk: number,
): Promise<OpenModel<"decode" | "prompt">> {
  const promptShape = { ...shape, layers: Math.min(shape.layers, PROMPT_LAYERS) };
  const promptRows = Math.max(chunk, DECODE_ROWS + 1);
  const graphs = {
    decode: graphOf(shape, DECODE_ROWS, pages, type),
    prompt: graphOf(promptShape, promptRows, pages, type),
  };
  const store = { parameters: new Map(), readRows: () => Promise.reject(new Error("There are no weights.")) };
  const model = await createCpuExecutor({ tier: tier.name }).open(store, graphs, { threads, precision });
  for (const { inputs } of Object.values<Program>(model.programs)) {
    for (const name of ["q", "k", "v", "cos", "sin"]) {
      const array = inputs[name];
      for (let i = 0; i < array.length; i++) array[i] = ((i * 0x9e3779b1) >>> 8) / 2 ** 24 - 0.5;
    }
  }
  return model;
}

function graphOf(
  { heads, kvHeads, headSize, layers, window }: AttentionShape,
  bound: number,
  pages: number,
  type: StateType,
): Graph {
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
    const cached = (part: string): Tensor => state(`${part}.${layer}`, [pages * PAGE_SIZE, columns], type);
    const keys = writeRows(cached("keys"), slots, turn(k));
    const values = writeRows(cached("values"), slots, v);
    const attributes = { heads, kvHeads, scale: headSize ** -0.5, pageSize: PAGE_SIZE, ...(window && { window }) };
    return [`y${layer}`, attention({ ...x, q: turn(q), keys, values }, attributes)];
  });
  return graph(Object.fromEntries(outputs));
}

/** Rows at `first` and after, which see all keys before them; or, `isFilling`, one key, which takes no time. */
function setRows({ inputs }: Program, first: number, count: number, pages: number, isFilling = false): void {
  for (let i = 0; i < count; i++) {
    inputs.slots[i] = first + i;
    inputs.positions[i] = isFilling ? 0 : first + i;
    inputs.sequences[i] = 0;
  }
  for (let page = 0; page < pages; page++) inputs.pages[page] = page;
}

async function fillCache(decode: Program, end: number): Promise<void> {
  for (let first = 0; first < end; first += DECODE_ROWS) {
    const rows = Math.min(DECODE_ROWS, end - first);
    setRows(decode, first, rows, 1, true);
    await decode.run({ rows, sequences: 1, pages: 1 });
  }
}

/** Of query and key that it sees. */
function pairsSeen(first: number, end: number, window: number): number {
  let pairs = 0;
  for (let position = first; position < end; position++) pairs += Math.min(position + 1, window);
  return pairs;
}
