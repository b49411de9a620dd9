// What of a loaded model reads texts without writing: embeddings and ranks. Opened when it is first asked for, over the same
// files, and sized by the memory that there is then. Not here: what is made of rows (embedder.ts, reranker.ts).
import { machineFacts } from "#platform";
import { MemoryError, UnsupportedError } from "../../base/errors.ts";
import type { Executor, MemoryUse } from "../../device/executor.ts";
import { type Encoder, type EncoderOptions, openEncoder, traceEncoder } from "../../engine/index.ts";
import { roundedStore } from "../../engine/rounded-store.ts";
import type { ModelParts } from "../model-parts.ts";
import type { EmbedOptions, Embeddings, LoadOptions, Ranking, RerankOptions } from "../types.ts";
import { embed } from "./embedder.ts";
import { rerank } from "./reranker.ts";
import { type ReadingSettings, readingSettings } from "../../engine/reading-settings.ts";

/** Longer texts are rare, and rows of a text are all in memory at once. */
const WINDOW_DEFAULT = 8192;
/** A smaller window must be asked for. */
const WINDOW_LEAST = 512;

/** One owner; closing frees what was opened. */
export interface Reader extends AsyncDisposable {
  /** What `embed`, or `rerank` where the model has a head for it, takes: opened now. */
  open(how?: Pick<LoadOptions, "onProgress" | "signal">): Promise<Encoder>;
  embed(inputs: readonly (string | readonly number[])[], options?: EmbedOptions): Promise<Embeddings>;
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Ranking>;
  close(): Promise<void>;
}

type Give = NonNullable<EncoderOptions["give"]>;

/** `kept`: where packed weights and machine code are kept between starts. */
export function createReader(
  parts: Pick<ModelParts, "files" | "model" | "store" | "tokenizer" | "title">,
  executor: Executor,
  options: LoadOptions,
  kept: Pick<EncoderOptions, "packs" | "codes">,
): Reader {
  const { model, tokenizer } = parts;
  // who asks for speed by name takes rounded weights for it
  const rounds = options.precision === "fast" && exactness(parts) === "f32";
  const store = rounds ? roundedStore(parts.store) : parts.store;
  let read: Promise<ReadingSettings> | undefined;
  const settings = (): Promise<ReadingSettings> => (read ??= readingSettings(parts.files, model));
  const encoders = new Map<Give, Promise<Encoder>>();
  const opened = (give: Give, how: Parameters<Reader["open"]>[0] = {}): Promise<Encoder> => {
    const known = encoders.get(give) ?? settings().then(({ window }) => open(give, window, how));
    encoders.set(give, known);
    known.catch(() => encoders.delete(give)); // the next one tries again
    return known;
  };
  const open = async (give: Give, longest: number, { onProgress, signal }: Parameters<Reader["open"]>[0] = {}) => {
    const { threads, pin, precision = exactness(parts), window: asked } = options;
    const wishes = { threads, pin, precision, give, ...kept };
    const window =
      asked ?? (await fittingWindow({ ...parts, store }, executor, Math.min(longest, WINDOW_DEFAULT), wishes));
    return await openEncoder(model, store, executor, { ...wishes, window, onProgress, signal });
  };
  const close = async (): Promise<void> => {
    const all = [...encoders.values()];
    encoders.clear();
    for (const encoder of await Promise.allSettled(all))
      if (encoder.status === "fulfilled") await encoder.value.close();
  };
  return {
    open: (how) => opened(model.heads.scores === undefined ? "hidden" : "scores", how),
    embed: async (inputs, embedding) =>
      await embed({ tokenizer, settings: await settings(), encoder: await opened("hidden") }, inputs, embedding),
    rerank: async (query, documents, ranking) => {
      if (model.heads.scores === undefined) throw noReranker(parts);
      return await rerank({ model, tokenizer, encoder: await opened("scores") }, query, documents, ranking);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The similarity of vectors is no score of a reranker: who wants it asks for it. */
const noReranker = ({ title }: Pick<ModelParts, "title">): UnsupportedError =>
  new UnsupportedError(`${title} is no reranker: it has no head that reads a query and a document together.`, {
    hint:
      "Take a reranker, such as bge-reranker-v2-m3; or rank by the similarity of vectors: " +
      "`liang embed MODEL --similarity QUERY DOCUMENT...`, or /v1/embeddings, of whose vectors inner products are similarities.",
  });

/** Weights that are kept whole are worked with as exactly; rounded ones gain nothing by it. */
function exactness({ store }: Pick<ModelParts, "store">): "f32" | "fast" {
  const matrices = [...store.parameters.values()].filter(({ rows }) => rows > 1);
  return matrices.every(({ format }) => format === "f32" || format === "f64") ? "f32" : "fast";
}

/** The longest of `longest`, its half, ... that fits into memory. Throws MemoryError where not even the least does. */
async function fittingWindow(
  { model, store, title }: Pick<ModelParts, "model" | "store" | "title">,
  executor: Executor,
  longest: number,
  options: Partial<EncoderOptions>,
): Promise<number> {
  const available = (await machineFacts()).memoryAvailableBytes;
  for (let window = longest; ; window = Math.floor(window / 2)) {
    const { graphs } = traceEncoder(model, { ...options, window });
    const use = await executor.plan(store, graphs, options);
    const bytes = bytesOf(use);
    if (bytes <= Math.min(available, bytes + use.headroomBytes)) return window;
    if (window / 2 < Math.min(WINDOW_LEAST, longest)) {
      throw new MemoryError(`${title} with a window of ${window} tokens`, bytes, available, {
        hint: "Close other programs, ask for a smaller window, or take a smaller model.",
      });
    }
  }
}

const bytesOf = ({ weightBytes, stateBytes, arenaBytes, runtimeBytes }: MemoryUse): number =>
  weightBytes + stateBytes + arenaBytes + runtimeBytes;
