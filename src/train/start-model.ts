// The model that a run starts from: a new one by its config and a tokenizer's folder, or one that is there, of either
// kind of file. Also all files of the folder that training saves, but for the weights. Not here: weights' values.
import { joinPath, readBytes, fileFacts, listFolder } from "#platform";
import { NotFoundError, UsageError } from "../base/errors.ts";
import { type ChosenTemplate, chooseTemplate, templateOption } from "../chat/choose-template.ts";
import { openModelParts } from "../chat/model-parts.ts";
import { resolveModel } from "../chat/resolve.ts";
import { formsOf } from "../convert/families.ts";
import { samplingToHf } from "../convert/sampling.ts";
import { settingsToHf } from "../convert/settings.ts";
import { readRopeDivisors } from "../engine/file-store.ts";
import { tokenizerToHf } from "../convert/tokenizer-to-hf.ts";
import { tokenizerOf } from "../convert/tokenizer.ts";
import { roleIds } from "../convert/write-folder.ts";
import type { ParameterStore } from "../device/executor.ts";
import { readTextFiles } from "../format/hf-folder.ts";
import type { ModelFiles } from "../format/open-model-files.ts";
import { type Model, newModel } from "../models/index.ts";
import { hfTemplates } from "../text/template-sources.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { withHeads } from "./heads.ts";
import type { Recipe } from "./recipe.ts";

type Json = Readonly<Record<string, unknown>>;

/** One owner; closing closes files and the template's thread. */
export interface StartModel extends AsyncDisposable {
  readonly model: Model;
  /** Weights to start from; undefined: they are made. */
  readonly store: ParameterStore | undefined;
  readonly tokenizer: Tokenizer;
  readonly chosen: ChosenTemplate;
  /** Ids that end a reply. */
  readonly endIds: ReadonlySet<number>;
  /** `config.json` of what is saved, but for `torch_dtype`. */
  readonly config: Json;
  /** The other files of what is saved, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What a tokenizer is kept in, and how transformers calls a folder's settings of generation. */
const TEXT_FILES = [
  "tokenizer.json",
  "tokenizer.model",
  "spiece.model",
  "source.spm",
  "target.spm",
  "vocab.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "generation_config.json",
];
const TEXT_BYTES_MAX = 256 * 2 ** 20; // as readers of folders have it

const jsonBytes = (value: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** Throws what opening a model throws, UsageError for a config or a tokenizer that do not fit together. */
export async function openStartModel({
  model,
  tokenizer,
  template,
}: Pick<Recipe, "model" | "tokenizer" | "template">): Promise<StartModel> {
  const opened =
    typeof model === "string" ? await openExisting(model, template) : await openNew(model, tokenizer!, template);
  if (template === undefined) return opened;
  const source = new TextEncoder().encode(opened.chosen.template.source(false));
  return { ...opened, files: new Map([...opened.files, ["chat_template.jinja", source]]) };
}

async function openNew(given: Json, folder: string, template: string | undefined): Promise<StartModel> {
  if ((await fileFacts(folder))?.kind !== "folder")
    throw new NotFoundError(`There is no tokenizer's folder ${folder}.`);
  const texts = await readTextFiles(folder);
  const tokenizer = await tokenizerOf({ file: folder, readTextFiles: () => Promise.resolve(texts) });
  if (tokenizer === undefined) throw new NotFoundError(`There is no tokenizer.json in ${folder}.`);
  const config = { ...given, vocab_size: given["vocab_size"] ?? tokenizer.vocabularySize };
  const model = newModel(config);
  if (model.vocabularySize < tokenizer.vocabularySize) {
    throw new UsageError(
      `model.vocab_size is ${model.vocabularySize}, expected at least the tokenizer's ${tokenizer.vocabularySize}.`,
      { field: "model.vocab_size", hint: "Leave it out, and it is the tokenizer's." },
    );
  }
  const startId = model.encoder?.startId;
  const roles = { ...roleIds(tokenizer), ...(startId !== undefined && { decoder_start_token_id: startId }) };
  const templates = hfTemplates(texts.tokenizerConfig, texts.chatTemplate, folder);
  const chosen = chooseTemplate(templates, tokenizer, templateOption(model, template));
  return {
    model,
    store: undefined,
    tokenizer,
    chosen,
    endIds: tokenizer.specials.endOfGeneration,
    config: { architectures: [formsOf(model).architecture], ...config, ...roles },
    files: new Map([["generation_config.json", jsonBytes(roles)], ...(await textFiles(folder))]),
    [Symbol.asyncDispose]: () => chosen.template.close(),
  };
}

async function openExisting(nameOrPath: string, template: string | undefined): Promise<StartModel> {
  const parts = await openModelParts(await resolveModel(nameOrPath), { template });
  try {
    const { model, store, files, tokenizer, chosen, endIds } = parts;
    if (tokenizer.kind === "none") throw new UsageError(`${nameOrPath} has no tokenizer.`, { field: "model" });
    return {
      model,
      store: await withHeads(store, parts.path),
      tokenizer,
      chosen,
      endIds,
      ...(await savedFiles(files, model, tokenizer)),
      [Symbol.asyncDispose]: () => parts.close(),
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function savedFiles(
  opened: ModelFiles,
  model: Model,
  tokenizer: Tokenizer,
): Promise<Pick<StartModel, "config" | "files">> {
  const { config, file } = opened;
  if (opened.kind === "hf") return { config, files: await textFiles(file) };
  const roles = roleIds(tokenizer);
  const json = tokenizerToHf(config, file, tokenizer, model.window);
  return {
    config: { ...settingsToHf(model, opened, await readRopeDivisors(opened)), ...roles },
    files: new Map([
      ["tokenizer.json", jsonBytes(json.tokenizer)],
      ["tokenizer_config.json", jsonBytes(json.tokenizerConfig)],
      ["generation_config.json", jsonBytes({ ...roles, ...samplingToHf(config) })],
    ]),
  };
}

async function textFiles(folder: string): Promise<Map<string, Uint8Array>> {
  const there = (await listFolder(folder)).filter(({ name, kind }) => kind === "file" && TEXT_FILES.includes(name));
  const files = new Map<string, Uint8Array>();
  for (const { name } of there) files.set(name, await readBytes(joinPath(folder, name), TEXT_BYTES_MAX));
  return files;
}
