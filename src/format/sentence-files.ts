// The files that sentence-transformers puts beside a model: which modules follow it, how its rows are pooled, what is put
// before texts. Plain objects; what they mean is chat/reading's business.
import { fileFacts, joinPath, readBytes } from "#platform";
import { FormatError } from "../base/errors.ts";
import { parseJson, parseJsonValue } from "./json.ts";

const BYTES_MAX = 2 ** 20;

/** Undefined: the folder has no such file. */
export interface SentenceFiles {
  readonly modules: readonly { readonly type: string; readonly path: string }[] | undefined;
  /** config.json of the module that pools. */
  readonly pooling: Record<string, unknown> | undefined;
  /** sentence_bert_config.json. */
  readonly transformer: Record<string, unknown> | undefined;
  /** config_sentence_transformers.json. */
  readonly prompts: Record<string, unknown> | undefined;
}

/** Throws FormatError for files that are no such thing. */
export async function readSentenceFiles(folder: string): Promise<SentenceFiles> {
  const read = async <T>(parse: (path: string, field: string, bytes: Uint8Array) => T, ...names: string[]) => {
    const path = names.reduce((at, name) => joinPath(at, name), folder);
    if ((await fileFacts(path)) === undefined) return undefined;
    return parse(path, "text", await readBytes(path, BYTES_MAX));
  };
  const json = (...names: string[]): Promise<Record<string, unknown> | undefined> => read(parseJson, ...names);
  const modules = checkModules(folder, await read(parseJsonValue, "modules.json"));
  const pools = modules?.find(({ type }) => type.endsWith(".Pooling"));
  return {
    modules,
    pooling: await json(pools?.path ?? "1_Pooling", "config.json"),
    transformer: await json("sentence_bert_config.json"),
    prompts: await json("config_sentence_transformers.json"),
  };
}

function checkModules(folder: string, modules: unknown): SentenceFiles["modules"] {
  if (modules === undefined) return undefined;
  const isModule = (module: unknown): boolean => {
    const { type, path } = (module ?? {}) as Record<string, unknown>;
    // a plain name: a path could lead out of the folder
    return typeof type === "string" && typeof path === "string" && /^[\w-]*$/.test(path);
  };
  if (Array.isArray(modules) && modules.every(isModule)) return modules as SentenceFiles["modules"];
  throw new FormatError(joinPath(folder, "modules.json"), "modules", modules, "a list with the type and path of each");
}
