// A model's settings from one form into the other: config.json → GGUF metadata (with rope divisors, a tensor there) and
// GGUF metadata → config.json. Sizes are the model's own; names and constants are the family's row.
import { UnsupportedError } from "../base/errors.ts";
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import type { Model } from "../models/index.ts";
import { Config } from "../models/config.ts";
import { count, real, text } from "./entries.ts";
import { formsOf } from "./families.ts";
import type { FamilyForms, Settings } from "./forms.ts";
import { ropeToGguf, ropeToHf } from "./rope.ts";

export interface GgufSettings {
  readonly entries: ReadonlyMap<string, GgufEntry>;
  /** What GGUF has as tensors: `rope_freqs.weight`, ... */
  readonly ropeDivisors: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

/** Throws UnsupportedError for an option that GGUF has no word for. */
export function settingsToGguf(model: Model, files: TensorSource): GgufSettings {
  const forms = formsOf(model);
  const config = new Config(files.file, files.config);
  config.only(forms.hfOnly);
  const settings = read(model, config);
  const { headSize, heads } = settings;
  const rope = isTurned(model, forms) ? ropeToGguf(model, config, forms) : undefined;
  const keys: [string, GgufEntry][] = [
    ["context_length", count(model.window)],
    ["embedding_length", count(model.width)],
    ["block_count", count(model.layers)],
    ["feed_forward_length", count(forwardWidth(settings, forms.names.forwardWidth))],
    ["attention.head_count", count(heads)],
    [forms.epsilon.gguf, real(config.number(forms.names.epsilon, forms.epsilon.byDefault))],
    ["vocab_size", count(model.vocabularySize)],
  ];
  if (forms.names.kvHeads !== undefined) keys.push(["attention.head_count_kv", count(kvHeads(model))]);
  if (forms.names.headSize !== undefined) {
    keys.push(["attention.key_length", count(headSize)], ["attention.value_length", count(headSize)]);
  }
  const all = [...keys, ...(rope?.entries ?? []), ...(forms.toGguf?.(settings) ?? [])];
  return {
    entries: new Map<string, GgufEntry>([
      ["general.architecture", text(forms.gguf)],
      ["general.type", text("model")],
      ...all.map(([key, entry]) => [`${forms.gguf}.${key}`, entry] as const),
    ]),
    ropeDivisors: rope?.divisors ?? new Map(),
  };
}

/** `ropeDivisors`: values of those tensors of the GGUF file. Gives config.json, in the form of published checkpoints, which old and new releases of transformers read. */
export function settingsToHf(
  model: Model,
  files: TensorSource,
  ropeDivisors: GgufSettings["ropeDivisors"],
): Record<string, unknown> {
  const forms = formsOf(model);
  const config = new Config(files.file, files.config, `${forms.gguf}.`);
  const settings = read(model, config);
  return {
    architectures: [forms.architecture],
    model_type: forms.hf,
    vocab_size: model.vocabularySize,
    ...namedSizes(forms, settings),
    [forms.names.epsilon]: shortestDecimal(config.number(forms.epsilon.gguf)),
    ...(isTurned(model, forms) && ropeToHf(model, files, ropeDivisors, config, forms)),
    ...forms.constants,
    ...Object.fromEntries(
      Object.entries(forms.biases).map(([key, parameter]) => [key, model.parameters.has(parameter)]),
    ),
    ...forms.toHf?.(settings),
    tie_word_embeddings: !model.parameters.has("head.weight"),
  };
}

/** Whether the family's ropes are written by name, and the model has one. */
const isTurned = (model: Model, forms: FamilyForms): forms is FamilyForms & { readonly ropeBase: number } =>
  forms.ropeBase !== undefined && model.ropes.length > 0;

function namedSizes({ names }: FamilyForms, settings: Settings): Record<string, number> {
  const { model, heads, headSize } = settings;
  return {
    [names.window]: model.window,
    [names.width]: model.width,
    [names.layers]: model.layers,
    [names.heads]: heads,
    [names.forwardWidth]: forwardWidth(settings, "feed_forward_length"),
    ...(names.kvHeads !== undefined && { [names.kvHeads]: kvHeads(model) }),
    ...(names.headSize !== undefined && { [names.headSize]: headSize }),
  };
}

function read(model: Model, config: Config): Settings {
  const { headSize } = model.cacheGroups[0];
  const heads = formsOf(model).heads?.(model) ?? rowsOf(model, "layers.0.attention.query.weight") / headSize;
  return { model, config, headSize, heads };
}

const kvHeads = (model: Model): number => model.cacheGroups[0].kvHeads;
/** Of a plain feed-forward part; a model without one says it in its config, under `key`. */
const forwardWidth = ({ model, config }: Settings, key: string): number => {
  const isThere = model.parameters.has("layers.0.mlp.up.weight") || !model.parameters.has("layers.0.experts.up.weight");
  return isThere ? rowsOf(model, "layers.0.mlp.up.weight") : config.size(key);
};

function rowsOf(model: Model, name: string): number {
  const rows = model.parameters.get(name)?.rows;
  if (rows === undefined) throw new UnsupportedError(`The family ${model.family} has no ${name}.`);
  return rows;
}
