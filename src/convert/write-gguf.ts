// The conversion's GGUF side: metadata, and tensors as llama.cpp's converter would store them.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { absolutePath, createFileWriter, splitPath } from "#platform";
import type { ParameterStore } from "../device/executor.ts";
import { openFileStore, readRopeDivisors } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { type TensorToWrite, tensorBytes, writeGguf } from "../format/gguf-writer.ts";
import type { HfTextFiles } from "../format/hf-folder.ts";
import type { FormatName } from "../numeric/registry.ts";
import { count, text } from "./entries.ts";
import { hfTemplates } from "../text/template-sources.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { formsOf } from "./families.ts";
import { exactGainEntries } from "./gains.ts";
import { readingToGguf } from "./reading.ts";
import { type Meter, withProgress } from "./progress.ts";
import { samplingToGguf } from "./sampling.ts";
import { settingsToGguf } from "./settings.ts";
import type { Source } from "./source.ts";
import type { TensorPlan } from "./tensor-plan.ts";
import { planTensors } from "./tensors.ts";
import { tokenizerNotes, tokenizerToGguf } from "./tokenizer-to-gguf.ts";
import type { ConvertOptions, ConvertType } from "./types.ts";
import { valuesAs } from "./values.ts";

/** What GGUF files say of themselves by `general.file_type` (llama.cpp's LLAMA_FTYPE). */
const FILE_TYPES: Readonly<Partial<Record<FormatName, number>>> = { f32: 0, f16: 1, bf16: 32 };

/** How tensors come into the file. */
export interface TensorWriting {
  /** What a tensor is written as that is not f32 anyway; `stored`: as the source has it. */
  formatOf(plan: TensorPlan, stored: FormatName): FormatName;
  /** Its bytes in that format, in order; `store` knows it by its name. */
  dataOf(store: ParameterStore, plan: TensorPlan, format: FormatName): AsyncIterable<Uint8Array>;
  /** Metadata that says so. Default: `general.file_type` by the type that most numbers have. */
  readonly entries?: ReadonlyMap<string, GgufEntry>;
}

/** As a conversion writes them: as they are stored, or as what the user asked for. */
const converting = (type: ConvertType): TensorWriting => ({
  formatOf: (plan, stored) => formatFor(type, plan.name, stored),
  dataOf: valuesAs,
});

/** Metadata, rope divisors (tensors in GGUF, settings in a folder), and what could not be said. */
interface Facts {
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly ropeDivisors: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  readonly notes: readonly string[];
}

/** The tensors of `source` in a GGUF file, each with what `writing` makes of it. */
export function ggufTensors(
  { model, files }: Source,
  writing: Pick<TensorWriting, "formatOf">,
): { store: ParameterStore; tensors: { plan: TensorPlan; format: FormatName }[] } {
  const plans = planTensors(model, files, "gguf");
  const store = openFileStore(files, { parameters: new Map(plans.map((plan) => [plan.name, plan.source])) });
  const formatOf = (plan: TensorPlan): FormatName =>
    plan.alwaysF32 ? "f32" : writing.formatOf(plan, store.parameters.get(plan.name)!.format);
  return { store, tensors: plans.map((plan) => ({ plan, format: formatOf(plan) })) };
}

/**
 * Writes `path` whole, or nothing; returns what GGUF cannot say of the source. Throws UnsupportedError for settings that
 * it cannot say and that change the result, and for numbers that the format cannot hold.
 */
export async function writeGgufFile(
  path: string,
  source: Source,
  tokenizer: Tokenizer | undefined,
  { type = "keep", metadata = {}, onProgress, signal }: ConvertOptions,
  writing: TensorWriting = converting(type),
): Promise<readonly string[]> {
  const { entries: given, ropeDivisors, notes } = await factsOf(source, tokenizer);
  const { store, tensors } = ggufTensors(source, writing);
  const gains = await exactGainEntries(
    source.files,
    tensors.map(({ plan }) => plan),
  );
  const said = writing.entries ?? fileType(tensors);
  const entries = new Map([...given, ...said, ...gains, ...userEntries(metadata)]);
  const total = tensors.reduce((sum, { plan, format }) => sum + tensorBytes({ shape: plan.shape, format }), 0);
  const meter: Meter = { label: "convert", total, onProgress, signal };

  await using writer = await createFileWriter(path);
  await writeGguf(withProgress(writer, meter), {
    entries,
    tensors: [
      ...[...ropeDivisors].map(ropeTensor),
      ...tensors.map(({ plan, format }) => ({
        name: plan.name,
        shape: plan.shape,
        format,
        data: () => writing.dataOf(store, plan, format),
      })),
    ],
  });
  await writer.finish();
  return notes;
}

/** A checkpoint that is seen as GGUF has its metadata already; a folder's is made. */
async function factsOf(
  { entries, folder, files, model, path }: Source,
  tokenizer: Tokenizer | undefined,
): Promise<Facts> {
  if (folder === undefined) {
    // one file, also of a split model; how its weights were rounded once is no fact about these
    const kept = [...entries!].filter(([key]) => !/^(split|quantize\.imatrix)\./.test(key));
    return { entries: new Map(kept), ropeDivisors: await readRopeDivisors(files), notes: [] };
  }
  const texts = await folder.readTextFiles();
  const settings = settingsToGguf(model, files);
  const name = splitPath(absolutePath(path)).name;
  const vocabulary = { path, files: texts, tokenizer, vocabularySize: model.vocabularySize };
  const reading = await readingToGguf(folder.file, formsOf(model).gguf, model);
  return {
    ...settings,
    entries: new Map([
      ...settings.entries,
      ...reading.entries,
      ["general.name", text(name)],
      ...samplingToGguf(texts.generationConfig),
      ...tokenizerToGguf(vocabulary),
      ...templatesToGguf(texts, path),
    ]),
    notes: [
      ...(tokenizer === undefined ? ["The folder has no tokenizer."] : tokenizerNotes(vocabulary)),
      ...reading.notes,
    ],
  };
}

function templatesToGguf(texts: HfTextFiles, path: string): [string, GgufEntry][] {
  const { main, named } = hfTemplates(texts.tokenizerConfig, texts.chatTemplate, path);
  const { default: byDefault, ...others } = named;
  const first = main ?? byDefault;
  return [
    ...(first === undefined ? [] : ([["tokenizer.chat_template", text(first)]] as const)),
    ...Object.entries(others).map(([name, source]) => [`tokenizer.chat_template.${name}`, text(source)] as const),
  ].map(([key, entry]) => [key, entry]);
}

const ropeTensor = ([name, divisors]: [string, Float32Array<ArrayBuffer>]): TensorToWrite => ({
  name,
  shape: [divisors.length],
  format: "f32",
  data: () => [new Uint8Array(divisors.buffer)],
});

function formatFor(type: ConvertType, name: string, stored: FormatName): FormatName {
  if (type !== "keep") return type;
  if (stored !== "f64") return stored;
  throw new UnsupportedError(`Tensor ${name} is f64, which no GGUF model holds.`, { hint: "Take --type f32." });
}

/** By the type that most numbers have. */
function fileType(
  tensors: readonly { readonly plan: { readonly shape: readonly number[] }; readonly format: FormatName }[],
): [string, GgufEntry][] {
  const sizes = new Map<FormatName, number>();
  for (const { plan, format } of tensors) {
    const size = plan.shape.reduce((product, n) => product * n, 1);
    sizes.set(format, (sizes.get(format) ?? 0) + size);
  }
  const [most] = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a));
  const number = FILE_TYPES[most];
  return number === undefined ? [] : [["general.file_type", count(number)]];
}

const USER_KEY = /^general\.(?!architecture$|type$|alignment$|file_type$|quantization_version$)[a-z0-9_.]+$/;

function userEntries(metadata: Readonly<Record<string, string>>): [string, GgufEntry][] {
  return Object.entries(metadata).map(([key, value]) => {
    if (USER_KEY.test(key)) return [key, text(value)];
    throw new UsageError(`The metadata key ${JSON.stringify(key)} cannot be set.`, {
      field: "metadata",
      hint: "Texts such as general.name, general.license, general.description can.",
    });
  });
}
