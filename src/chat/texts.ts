// What a model's files say in words: tokenizer, chat templates, recommended sampling, ends of replies. Needs no weights and
// knows no family, so it serves vocabulary files too. Not here: which template is used (choose-template.ts).
import type { GgufFiles } from "../format/gguf-files.ts";
import type { HfFiles, HfTextFiles } from "../format/hf-folder.ts";
import { tokenizerFromFolder } from "../text/from-folder.ts";
import { tokenizerFromGguf } from "../text/from-gguf.ts";
import { noTokenizer } from "../text/no-tokenizer.ts";
import { ggufTemplates, hfTemplates } from "../text/template-sources.ts";
import type { TemplateSources } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { ggufSampling, hfSampling } from "./sampling-defaults.ts";
import type { ReplyDefaults } from "./types.ts";

/** What a file's texts say. */
export interface Texts {
  readonly title: string | undefined;
  readonly tokenizer: Tokenizer;
  readonly templates: TemplateSources;
  readonly defaults: ReplyDefaults;
  /** Ids that end a reply besides those that the tokenizer knows. */
  readonly endIds: readonly number[];
}

/** What texts are read from: the files of a model, or those of a tokenizer alone, which has no `config`. */
export type TextFiles =
  | Pick<GgufFiles, "kind" | "file" | "config">
  | (Pick<HfFiles, "kind" | "readTextFiles"> & {
      /** The folder, or the tokenizer.json itself under any name. */
      readonly file: string;
      readonly config?: HfFiles["config"];
    });
type HfTexts = Extract<TextFiles, { kind: "hf" }>;

/** How GGUF says that there is no tokenizer. */
const NO_GGUF_TOKENIZER: readonly unknown[] = [undefined, "none", "no_vocab"];

/**
 * Reads tokenizer, templates and settings. `vocabularySize` is for models without a tokenizer, which work with ids alone.
 */
export const readTexts = (files: TextFiles, vocabularySize: number): Texts | Promise<Texts> =>
  files.kind === "gguf" ? ggufTexts(files, vocabularySize) : hfTexts(files, vocabularySize);

function ggufTexts({ config, file }: Extract<TextFiles, { kind: "gguf" }>, vocabularySize: number): Texts {
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

async function hfTexts(files: HfTexts, vocabularySize: number): Promise<Texts> {
  const texts = await files.readTextFiles();
  const generation = texts.generationConfig ?? {};
  return {
    title: undefined,
    tokenizer: (await tokenizerFromFolder(texts, files.file)) ?? noTokenizer(vocabularySize, files.file),
    templates: hfTemplates(texts.tokenizerConfig, texts.chatTemplate, files.file),
    // folders of before generation_config.json say it in config.json
    defaults: hfSampling({ ...oldSettings(files.config, texts.generationConfig), ...generation }),
    // folders without generation_config.json say it in config.json
    endIds: [generation["eos_token_id"] ?? files.config?.["eos_token_id"]]
      .flat()
      .filter((id) => typeof id === "number"),
  };
}

/** What config.json says of replies: forbidden ids always count, beams where no generation_config.json is there to speak of them. */
function oldSettings(config: HfTexts["config"] = {}, generation: HfTextFiles["generationConfig"]): HfTexts["config"] {
  const names = generation === undefined ? ["num_beams", "length_penalty", "early_stopping"] : [];
  return Object.fromEntries(["bad_words_ids", ...names].map((name) => [name, config[name]]));
}
