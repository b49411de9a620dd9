// How a model's files want its rows made into one vector of a text: pooling, prompts, the longest text. Folders say it as
// sentence-transformers does, GGUF in its metadata.
import { FormatError, UnsupportedError, show } from "../base/errors.ts";
import type { ModelFiles } from "../format/open-model-files.ts";
import type { SentenceFiles } from "../format/sentence-files.ts";
import type { Model } from "../models/index.ts";

/** Of which rows a text's vector is made: the mean of all, the first, the last. */
export type Pooling = "mean" | "first" | "last";

export interface ReadingSettings {
  /** "end": of the first row with the model's `endId`, which no file says. */
  readonly pooling: Pooling | "end";
  /** What is put before texts, by its name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the prompt that texts get which ask for none. */
  readonly defaultPrompt: string | undefined;
  /** Tokens of the longest text that it was made for. */
  readonly window: number;
}

/** sentence-transformers' switches, of which one is on. */
const SWITCHES: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "first",
  pooling_mode_lasttoken: "last",
};
/** The same by the names of newer folders. */
const MODES: Readonly<Record<string, Pooling>> = { mean: "mean", cls: "first", lasttoken: "last" };
/** GGUF's `pooling_type` in its order; rankers read the first row, with their head. */
export const GGUF_POOLINGS: readonly (Pooling | undefined)[] = [undefined, "mean", "first", "last", "first"];

/** What models that say nothing take, those that write too. */
const BY_DEFAULT: Pooling = "mean";

/** Throws FormatError and UnsupportedError for what is there and would change the result. */
export async function readingSettings(files: ModelFiles, model: Model): Promise<ReadingSettings> {
  const settings = { prompts: {}, defaultPrompt: undefined, window: model.window } as const;
  const byDefault = model.endId === undefined ? BY_DEFAULT : "end";
  if (files.kind === "gguf") return { ...settings, pooling: ggufPooling(files.config, files.file) ?? byDefault };
  const sentence = await sentenceFiles(files.file);
  const window = sentence.transformer?.["max_seq_length"];
  if (window != null && !(Number.isInteger(window) && (window as number) > 0)) {
    throw new FormatError(files.file, "max_seq_length", window, "a whole number above 0");
  }
  return {
    pooling: folderPooling(sentence, files.file) ?? byDefault,
    ...promptsOf(sentence, files.file),
    window: Math.min(model.window, (window as number | undefined) ?? model.window),
  };
}

/** The pooling that a folder's files ask for, and the names of its prompts. Throws as `readingSettings`. */
export async function folderReading(folder: string) {
  const sentence = await sentenceFiles(folder);
  return { pooling: folderPooling(sentence, folder), prompts: Object.keys(promptsOf(sentence, folder).prompts) };
}

async function sentenceFiles(folder: string): Promise<SentenceFiles> {
  const { readSentenceFiles } = await import("../format/sentence-files.ts");
  return await readSentenceFiles(folder);
}

/** The pooling that GGUF metadata asks for. Throws UnsupportedError for one that is not known. */
export function ggufPooling(config: Readonly<Record<string, unknown>>, file: string): Pooling | undefined {
  const key = `${String(config["general.architecture"])}.pooling_type`;
  const type = config[key];
  if (type === undefined || type === 0) return undefined;
  const pooling = GGUF_POOLINGS[type as number];
  if (pooling === undefined) throw new UnsupportedError(`${file}: ${key} is ${show(type)}, expected 0 to 4.`);
  return pooling;
}

/** Transformer, Pooling and Normalize, in this order: what else there is would change the vectors. */
function folderPooling({ modules, pooling }: SentenceFiles, folder: string): Pooling | undefined {
  const kinds = (modules ?? []).map(({ type }) => type.split(".").at(-1));
  const other = kinds.find((kind) => !["Transformer", "Pooling", "Normalize"].includes(kind!));
  if (other !== undefined) {
    throw new UnsupportedError(`${folder}: modules.json has a ${other}, which is not done yet.`);
  }
  if (pooling === undefined) return undefined;
  if (pooling["include_prompt"] === false) {
    throw new UnsupportedError(`${folder}: include_prompt is false; Liang pools the rows of prompts too.`);
  }
  const mode = pooling["pooling_mode"];
  if (typeof mode === "string") return MODES[mode] ?? refusePooling(folder, mode);
  const on = Object.keys(pooling).filter((key) => key.startsWith("pooling_mode_") && pooling[key] === true);
  if (on.length !== 1) return refusePooling(folder, on.join(" and ") || "nothing");
  return SWITCHES[on[0]] ?? refusePooling(folder, on[0]);
}

function refusePooling(folder: string, found: string): never {
  const expected = "one of the mean, the first and the last token";
  throw new UnsupportedError(`${folder}: texts are pooled by ${found}; Liang can do ${expected}.`);
}

function promptsOf({ prompts: config }: SentenceFiles, folder: string) {
  const found = config?.["prompts"] ?? {};
  const isTexts = typeof found === "object" && Object.values(found).every((text) => typeof text === "string");
  if (!isTexts) throw new FormatError(folder, "prompts", found, "texts by their names");
  const prompts = found as Record<string, string>;
  const name = config?.["default_prompt_name"] ?? undefined;
  if (name !== undefined && !(typeof name === "string" && Object.hasOwn(prompts, name))) {
    throw new FormatError(folder, "default_prompt_name", name, Object.keys(prompts).join(" or "));
  }
  return { prompts, defaultPrompt: name };
}
