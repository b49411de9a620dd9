// What of a loaded model reads texts and pictures without writing: embeddings, ranks, classes. Opened when it is first asked
// for, over the same files, and sized by the memory that there is then. Not here: what is made of rows (embedder.ts,
// reranker.ts, classifier.ts).
import { machineFacts } from "#platform";
import { MemoryError, UnsupportedError, UsageError } from "../../base/errors.ts";
import type { Executor, MemoryUse } from "../../device/executor.ts";
import { type Encoder, type EncoderOptions, openEncoder, traceEncoder } from "../../engine/index.ts";
import { roundedStore } from "../../engine/rounded-store.ts";
import type { ModelParts } from "../model-parts.ts";
import type { Model } from "../../models/index.ts";
import type {
  Classification,
  ClassifyOptions,
  EmbedInput,
  EmbedOptions,
  Embeddings,
  LoadOptions,
  Picture,
  Ranking,
  RerankOptions,
} from "../types.ts";
import { classLabels, classify, classifyByTexts, noClasses, scaleOf } from "./classifier.ts";
import { type EmbedderParts, embed } from "./embedder.ts";
import { pictureReader } from "./pictures.ts";
import { rerank } from "./reranker.ts";
import { type ReadingSettings, readingSettings } from "../../engine/reading-settings.ts";

/** Longer texts are rare, and rows of a text are all in memory at once. */
const WINDOW_DEFAULT = 8192;
/** A smaller window must be asked for. */
const WINDOW_LEAST = 512;

/** One owner; closing frees what was opened. */
export interface Reader extends AsyncDisposable {
  /** What `embed`, or `rerank` or `classify` where the model has a head for it, takes: opened now. */
  open(how?: Pick<LoadOptions, "onProgress" | "signal">): Promise<Encoder>;
  embed(inputs: readonly EmbedInput[], options?: EmbedOptions): Promise<Embeddings>;
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Ranking>;
  classify(pictures: readonly Picture[], options?: ClassifyOptions): Promise<Classification[]>;
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
  const encoders = new Map<string, Promise<Encoder>>();
  /** `tower`: the model, or what it has beside it for images. */
  const opened = (tower: Model, give: Give, how: Parameters<Reader["open"]>[0] = {}): Promise<Encoder> => {
    const key = `${tower === model ? "model" : "image tower"}: ${give}`;
    const known = encoders.get(key) ?? open(tower, give, how);
    encoders.set(key, known);
    known.catch(() => encoders.delete(key)); // the next one tries again
    return known;
  };
  const open = async (tower: Model, give: Give, { onProgress, signal }: Parameters<Reader["open"]>[0] = {}) => {
    const { threads, pin, precision = exactness(parts), window: asked } = options;
    const wishes = { threads, pin, precision, give, ...kept };
    const reading = { ...parts, store, model: tower };
    const window =
      tower.imageFormat !== undefined
        ? await fittingWindow(reading, executor, tower.window, tower.window, wishes)
        : (asked ?? (await fittingWindow(reading, executor, await longestText(), WINDOW_LEAST, wishes)));
    return await openEncoder(tower, store, executor, { ...wishes, window, onProgress, signal });
  };
  const longestText = async (): Promise<number> => Math.min((await settings()).window, WINDOW_DEFAULT);
  const imageModel = model.imageFormat === undefined ? model.imageTower : model;
  const readPicture = imageModel && pictureReader(parts.files, imageModel.imageFormat!);
  const embedder = async (): Promise<EmbedderParts> => ({
    model,
    tokenizer,
    settings: await settings(),
    texts: imageModel === model ? undefined : () => opened(model, vectorOf(model)),
    images: imageModel && { open: () => opened(imageModel, vectorOf(imageModel)), read: readPicture! },
  });
  const close = async (): Promise<void> => {
    const all = [...encoders.values()];
    encoders.clear();
    for (const encoder of await Promise.allSettled(all))
      if (encoder.status === "fulfilled") await encoder.value.close();
  };
  return {
    open: (how) => opened(model, model.heads.scores === undefined ? vectorOf(model) : "scores", how),
    embed: async (inputs, embedding) => await embed(await embedder(), inputs, embedding),
    rerank: async (query, documents, ranking) => {
      if (model.heads.scores === undefined || imageModel === model) throw noReranker(parts);
      return await rerank({ model, tokenizer, encoder: await opened(model, "scores") }, query, documents, ranking);
    },
    async classify(pictures, how = {}) {
      if (imageModel === undefined) return noClasses(model.family);
      if (imageModel.heads.scores !== undefined) {
        if (how.labels !== undefined || how.prompt !== undefined) throw ownClasses(model.family);
        const encoder = await opened(imageModel, "scores");
        const labels = classLabels(parts.files.file, parts.files.config, encoder.columns);
        return await classify({ encoder, read: readPicture!, labels }, pictures, how);
      }
      if (model.logitScale === undefined) return noClasses(model.family);
      const scale = await scaleOf(store, model.logitScale);
      const together = await embedder();
      const { signal } = how;
      return await classifyByTexts({ embed: (all) => embed(together, all, { signal }), scale }, pictures, how);
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
/** What vectors are made of. */
const vectorOf = ({ heads }: Model): Give => (heads.embedding === undefined ? "hidden" : "embedding");

const ownClasses = (family: string): UsageError =>
  new UsageError(`The model (${family}) tells its own classes apart, and reads no labels.`, { field: "labels" });

/** Weights that are kept whole are worked with as exactly; rounded ones gain nothing by it. */
function exactness({ store }: Pick<ModelParts, "store">): "f32" | "fast" {
  const matrices = [...store.parameters.values()].filter(({ rows }) => rows > 1);
  return matrices.every(({ format }) => format === "f32" || format === "f64") ? "f32" : "fast";
}

/** The longest of `longest`, its half, ... that fits into memory. Throws MemoryError where not even the last above `least` does. */
async function fittingWindow(
  { model, store, title }: Pick<ModelParts, "model" | "store" | "title">,
  executor: Executor,
  longest: number,
  least: number,
  options: Partial<EncoderOptions>,
): Promise<number> {
  const available = (await machineFacts()).memoryAvailableBytes;
  for (let window = longest; ; window = Math.floor(window / 2)) {
    const { graphs } = traceEncoder(model, { ...options, window });
    const use = await executor.plan(store, graphs, options);
    const bytes = bytesOf(use);
    if (bytes <= Math.min(available, bytes + use.headroomBytes)) return window;
    if (window / 2 < Math.min(least, longest)) {
      throw new MemoryError(`${title} with a window of ${window} tokens`, bytes, available, {
        hint: "Close other programs, ask for a smaller window, or take a smaller model.",
      });
    }
  }
}

const bytesOf = ({ weightBytes, stateBytes, arenaBytes, runtimeBytes }: MemoryUse): number =>
  weightBytes + stateBytes + arenaBytes + runtimeBytes;
