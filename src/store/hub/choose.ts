// Which files of a repository make the model that was asked for: one GGUF (all its parts), by file name or by the name of
// its number format; without a wish the usual format; without any GGUF the safetensors folder. Pure: names in, names out.
import { NotFoundError, UnsupportedError, UsageError, show } from "../../base/errors.ts";
import type { HubFile } from "./listing.ts";

export interface Choice {
  /** Appended to org/name after ":"; undefined for a folder. */
  readonly tag: string | undefined;
  /** GGUF parts in order, or a folder's files. */
  readonly files: readonly HubFile[];
}

/** Formats to take when none is named, best compromise first. */
const PREFERRED = ["Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q6_K", "Q8_0"];

/**
 * `wish`: a file's path or name, or a format such as Q4_K_M, in any case. Throws NotFoundError that lists what there is,
 * UsageError when the wish fits several, UnsupportedError when the repository has nothing that Liang reads.
 */
export function chooseFiles(id: string, files: readonly HubFile[], wish: string | undefined): Choice {
  const models = groupGguf(files);
  if (models.length === 0) {
    if (wish !== undefined) {
      throw new NotFoundError(`${id} has no GGUF files to choose ${show(wish)} from.`, { hint: `Pull ${id} whole.` });
    }
    return { tag: undefined, files: chooseFolder(id, files) };
  }
  const model = wish === undefined ? chooseUsual(id, models) : chooseWished(id, models, wish);
  if (model.files.length !== model.partCount) {
    throw new UnsupportedError(`${id} has ${model.files.length} of the ${model.partCount} parts of ${model.stem}.`);
  }
  // The format alone names it when no other file of the repository has it.
  const isOnly = models.filter((other) => other.format === model.format).length === 1;
  return { tag: isOnly && model.format !== undefined ? model.format : model.stem, files: model.files };
}

interface GgufModel {
  /** Path without .gguf and without the part's number. */
  readonly stem: string;
  /** Upper case; undefined when the name tells none. */
  readonly format: string | undefined;
  readonly partCount: number;
  readonly files: readonly HubFile[];
}

const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
// A word that is a format, between separators: "UD-Q4_K_XL", "IQ2_XXS", "BF16", "MXFP4". The last one in a path counts.
const FORMAT =
  /(?<=^|[-._/])(?:UD-)?(?:I?Q[1-8](?:_[0-9A-Z]+)*|TQ[12]_0|MXFP4(?:_MOE)?|BF16|FP?16|FP?32)(?=$|[-._/])/gi;
// Beside models: image projectors, importance matrices.
const NO_MODEL = /(^|\/)(mmproj|.*imatrix)/i;

function groupGguf(files: readonly HubFile[]): GgufModel[] {
  const ggufs = files.filter(({ path }) => /\.gguf$/i.test(path) && !NO_MODEL.test(path));
  const groups = Map.groupBy(ggufs, ({ path }) => withoutPart(path));
  return [...groups].map(([stem, parts]) => ({
    stem,
    format: stem.match(FORMAT)?.at(-1)?.toUpperCase(),
    partCount: Number(PART.exec(parts[0].path)?.[3] ?? 1),
    files: parts.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  }));
}

function withoutPart(path: string): string {
  return PART.exec(path)?.[1] ?? path.replace(/\.gguf$/i, "");
}

function chooseUsual(id: string, models: readonly GgufModel[]): GgufModel {
  if (models.length === 1) return models[0];
  for (const format of PREFERRED) {
    const found = models.filter((model) => model.format === format);
    if (found.length === 1) return found[0];
    if (found.length > 1) throw several(id, found);
  }
  throw several(id, models);
}

function chooseWished(id: string, models: readonly GgufModel[], wish: string): GgufModel {
  const wanted = withoutPart(wish.toLowerCase());
  const tests: ((model: GgufModel) => boolean)[] = [
    (model) => model.stem.toLowerCase() === wanted,
    (model) => baseName(model.stem).toLowerCase() === wanted,
    (model) => model.format?.toLowerCase() === wanted,
  ];
  for (const test of tests) {
    const found = models.filter(test);
    if (found.length === 1) return found[0];
    if (found.length > 1) throw several(id, found);
  }
  throw new NotFoundError(`${id} has no GGUF file ${show(wish)}.`, { hint: `There are: ${names(models)}.` });
}

const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function several(id: string, models: readonly GgufModel[]): UsageError {
  return new UsageError(`${id} has several GGUF files that fit.`, {
    field: "name",
    hint: `Choose one as ${id}:NAME of: ${names(models)}.`,
  });
}

const NAMES_MAX = 40;
function names(models: readonly GgufModel[]): string {
  const isUnique = (format: string) => models.filter((model) => model.format === format).length === 1;
  const all = models.map(({ format, stem }) => (format !== undefined && isUnique(format) ? format : stem));
  return all.length <= NAMES_MAX
    ? all.join(", ")
    : `${all.slice(0, NAMES_MAX).join(", ")} and ${all.length - NAMES_MAX} more`;
}

/** What beside the weights a model folder needs, where it is there: settings, tokenizer, template. */
const FOLDER_FILES = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "sentencepiece.bpe.model",
  "spiece.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "chat_template.jinja",
  "chat_template.json",
  "model.safetensors.index.json",
  "modules.json",
  "sentence_bert_config.json",
  "1_Pooling/config.json",
]);

function chooseFolder(id: string, files: readonly HubFile[]): HubFile[] {
  const here = files.filter((file) => !file.path.includes("/") && file.path.endsWith(".safetensors"));
  // Some repositories hold the weights twice, the second time under the maker's own names.
  const usual = here.filter((file) => /^model(-\d{5}-of-\d{5})?\.safetensors$/.test(file.path));
  const weights = usual.length > 0 ? usual : here;
  if (weights.length === 0 || !files.some((file) => file.path === "config.json")) {
    const hasPickle = files.some((file) => /\.(bin|pt|pth)$/.test(file.path));
    throw new UnsupportedError(`${id} has neither GGUF files nor config.json with safetensors.`, {
      hint: hasPickle
        ? "Its .bin files can run code when opened and are not read: look for a converted copy."
        : undefined,
    });
  }
  return [...files.filter((file) => FOLDER_FILES.has(file.path)), ...weights];
}
