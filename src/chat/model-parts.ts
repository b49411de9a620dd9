// Opens a model's files and reads all that is no weight: what family it is, its tokenizer, its template, how it wants to
// be sampled. Nothing large is allocated. Not here: running it (load.ts).
import { joinPath, splitPath } from "#platform";
import type { ParameterStore } from "../device/executor.ts";
import { openFileStore, readModelFiles } from "../engine/file-store.ts";
import type { GgufFiles } from "../format/gguf-files.ts";
import type { HfFiles, HfTextFiles } from "../format/hf-folder.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { ModelFiles } from "../format/open-model-files.ts";
import type { Model } from "../models/model.ts";
import { tokenizerFromGguf } from "../text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../text/from-huggingface.ts";
import { tokenizerFromSentencePiece } from "../text/from-sentencepiece.ts";
import { noTokenizer } from "../text/no-tokenizer.ts";
import { ggufTemplates, hfTemplates } from "../text/template-sources.ts";
import type { TemplateSources } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chooseTemplate } from "./choose-template.ts";
import type { ChosenTemplate } from "./choose-template.ts";
import { ggufSampling, hfSampling } from "./sampling-defaults.ts";
import type { SamplingOptions } from "./types.ts";

/** One owner; closing closes the files and the template's thread. */
export interface ModelParts extends AsyncDisposable {
  readonly path: string;
  /** What the model's makers call it, else the file's name. */
  readonly title: string;
  readonly files: ModelFiles;
  readonly model: Model;
  readonly store: ParameterStore;
  readonly tokenizer: Tokenizer;
  readonly chosen: ChosenTemplate;
  readonly defaults: SamplingOptions;
  readonly endIds: ReadonlySet<number>;
  close(): Promise<void>;
}

/** What a file's texts say. */
interface Texts {
  readonly title: string | undefined;
  readonly tokenizer: Tokenizer;
  readonly templates: TemplateSources;
  readonly defaults: SamplingOptions;
  /** Ids that end a reply besides those that the tokenizer knows. */
  readonly endIds: readonly number[];
}

/** How GGUF says that there is no tokenizer. */
const NO_GGUF_TOKENIZER: readonly unknown[] = [undefined, "none", "no_vocab"];

/** `template`: as LoadOptions has it. Throws what reading files, config, vocabulary and template name throws. */
export async function openModelParts(path: string, template?: string): Promise<ModelParts> {
  const files = await openModelFiles(path);
  try {
    const model = await readModelFiles(files);
    const { title, tokenizer, templates, defaults, endIds } = await readTexts(files, model.vocabularySize);
    const chosen = chooseTemplate(templates, tokenizer, template);
    const close = async (): Promise<void> => {
      await chosen.template.close();
      await files.close();
    };
    return {
      path,
      title: title ?? splitPath(path).name,
      files,
      model,
      store: openFileStore(files, model),
      tokenizer,
      chosen,
      defaults,
      endIds: new Set([...tokenizer.specials.endOfGeneration, ...endIds]),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

const readTexts = (files: ModelFiles, vocabularySize: number): Texts | Promise<Texts> =>
  files.kind === "gguf" ? ggufTexts(files, vocabularySize) : hfTexts(files, vocabularySize);

function ggufTexts({ config, file }: GgufFiles, vocabularySize: number): Texts {
  const title = config["general.name"];
  const hasTokenizer = !NO_GGUF_TOKENIZER.includes(config["tokenizer.ggml.model"]);
  return {
    title: typeof title === "string" && title !== "" ? title : undefined,
    tokenizer: hasTokenizer ? tokenizerFromGguf(config, file) : noTokenizer(vocabularySize, file),
    templates: ggufTemplates(config, file),
    defaults: ggufSampling(config),
    endIds: [],
  };
}

async function hfTexts(files: HfFiles, vocabularySize: number): Promise<Texts> {
  const texts = await files.readTextFiles();
  const generation = texts.generationConfig ?? {};
  return {
    title: undefined,
    tokenizer: hfTokenizer(texts, files.file) ?? noTokenizer(vocabularySize, files.file),
    templates: hfTemplates(texts.tokenizerConfig, texts.chatTemplate, files.file),
    defaults: hfSampling(generation),
    endIds: [generation["eos_token_id"]].flat().filter((id) => typeof id === "number"),
  };
}

/** tokenizer.json says more than tokenizer.model, so it goes first; undefined when there is neither. */
function hfTokenizer(texts: HfTextFiles, folder: string): Tokenizer | undefined {
  const { tokenizer, sentencePiece, tokenizerConfig } = texts;
  if (tokenizer !== undefined)
    return tokenizerFromHuggingFace({ ...texts, tokenizer }, joinPath(folder, "tokenizer.json"));
  if (sentencePiece === undefined) return undefined;
  const flag = (name: string): boolean | undefined => {
    const value = tokenizerConfig?.[name];
    return typeof value === "boolean" ? value : undefined;
  };
  const options = { addBos: flag("add_bos_token"), addEos: flag("add_eos_token") };
  return tokenizerFromSentencePiece(sentencePiece, options, joinPath(folder, "tokenizer.model"));
}
