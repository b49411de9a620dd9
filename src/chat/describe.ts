// What a model is and would take, without loading it: for lists, `show`, and "will it fit".
import { openFileStore, readModelFiles } from "../engine/file-store.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { Encoder, Model, RopeTable } from "../models/model.ts";
import { adapterInfo, readAdapterAt } from "./adapted-model.ts";
import { openExecutor } from "./executors.ts";
import { fitModel } from "./memory.ts";
import { openPacks } from "./packs.ts";
import { openModelParts, sizeOf } from "./model-parts.ts";
import type { AdapterInfo, LoadOptions, MemoryPlan, ModelInfo, SamplingOptions } from "./types.ts";

export { resolveModel } from "./resolve.ts";

export interface ModelDescription {
  readonly path: string;
  readonly kind: "gguf" | "hf";
  /** What its makers call it, else the file's name. */
  readonly name: string;
  readonly family: string;
  readonly parameters: number;
  /** Those that a token goes through, where it chooses experts; absent: all. */
  readonly activeParameters?: number;
  readonly fileBytes: number;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  readonly trainedWindow: number;
  /** How the model's ropes are scaled, one line each; empty where it has none. */
  readonly ropes: readonly string[];
  /** The window and conversations at once that `load` would choose. */
  readonly window: number;
  readonly slots: number;
  readonly memory: MemoryPlan;
  /** Number formats of the file without kernels of their own, and what their weights are kept as in memory. */
  readonly keptAs: Readonly<Record<string, string>>;
  /** What tensors are seen as that lie otherwise in the files: sentences. */
  readonly notes: readonly string[];
  readonly template: ModelInfo["template"];
  /** The Jinja text that renders conversations without tools. */
  readonly templateSource: string;
  /** What the files recommend. */
  readonly sampling: SamplingOptions;
  /** GGUF metadata, or config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** The number format's name in lower case, also of those that Liang cannot read. */
    readonly type: string;
    readonly bytes: number | undefined;
  }[];
}

const translatorNote = ({ layers, window }: Encoder): string =>
  `An encoder-decoder: its ${layers} encoder layers read the last message, ${window} tokens at most, then a reply is written. ` +
  "Replies are greedy unless sampled: there is no beam search.";

/** What an adapter changes of the model at `modelPath`. Throws as `LanguageModel.attach` does, but for memory. */
export async function describeAdapter(path: string, modelPath: string): Promise<AdapterInfo> {
  await using files = await openModelFiles(modelPath);
  const model = await readModelFiles(files);
  return adapterInfo(await readAdapterAt(path, { model, store: openFileStore(files, model) }));
}

/** Reads the files at `path` (resolveModel turns names into paths). Throws as `load` does, but for memory. */
export async function describeModel(path: string, options: LoadOptions = {}): Promise<ModelDescription> {
  await using parts = await openModelParts(path, options);
  const { files, model, chosen } = parts;
  const executor = await openExecutor(options.executor);
  const { engine, memory } = await fitModel(parts, executor, options, undefined, { packs: openPacks(options) });
  const stored = new Set([...parts.store.parameters.values()].map(({ format }) => format));
  const kept = [...stored].map((format) => [format, executor.keptAs?.(format) ?? format] as const);
  return {
    path,
    kind: files.kind,
    name: parts.title,
    family: model.family,
    ...sizeOf(parts),
    layers: model.layers,
    width: model.width,
    vocabularySize: model.vocabularySize,
    trainedWindow: model.window,
    ropes: model.ropes.map((rope) => describeRope(rope, model)),
    window: engine.window,
    slots: engine.slots!,
    memory,
    keptAs: Object.fromEntries(kept.filter(([format, form]) => form !== format)),
    notes: [...(files.notes ?? []), ...(model.encoder === undefined ? [] : [translatorNote(model.encoder)])],
    template: chosen.from,
    templateSource: chosen.template.source(false),
    sampling: parts.defaults,
    config: files.config,
    tensors: [...files.tensors.values()].map(({ name, shape, typeName, byteLength }) => ({
      name,
      shape,
      type: typeName,
      bytes: byteLength,
    })),
  };
}

/** "yarn 4x from 32768 tokens"; with the layers' name where these differ, and what of a head is rotated where not all is. */
function describeRope({ name, scaling, frequencies, longer }: RopeTable, { ropes, cacheGroups }: Model): string {
  const [{ headSize }] = cacheGroups;
  const rotated = 2 * frequencies.length;
  const { type = "none", ...settings } = scaling ?? {};
  const facts = settings as { readonly factor?: number; readonly originalWindow?: number };
  return [
    ropes.length > 1 ? `${name}: ` : "",
    type === "none" ? "not scaled" : type,
    facts.factor === undefined ? "" : ` ${facts.factor}x`,
    facts.factor === undefined || facts.originalWindow === undefined ? "" : ` from ${facts.originalWindow} tokens`,
    longer === undefined ? "" : `, other angles beyond ${longer.map(({ beyond }) => beyond).join(", ")} tokens`,
    rotated < headSize ? `, ${rotated} of a head's ${headSize} columns` : "",
  ].join("");
}
