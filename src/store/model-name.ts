// Names of models: `org/name[:file]` as hubs have them, or a plain `name`. One grammar for the list, the hub and the
// server, strict enough that a name can be part of a path or an address: no empty or dotted segment, no backslash.
import { UsageError, show } from "../base/errors.ts";

const SEGMENT = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._+-]*$/u;
const NAME_LENGTH_MAX = 250;
// Windows opens devices under these names, whatever the extension.
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export interface ModelName {
  /** undefined of a plain name. */
  readonly org: string | undefined;
  readonly name: string;
  /** A file's path inside the repository, or a tag such as Q4_K_M. */
  readonly file: string | undefined;
}

/** Splits `org/name[:file]` or `name[:file]`. Throws UsageError for anything else. */
export function parseModelName(text: string): ModelName {
  const colon = text.indexOf(":");
  const before = (colon < 0 ? text : text.slice(0, colon)).split("/");
  const file = colon < 0 ? undefined : text.slice(colon + 1);
  const segments = [...before, ...(file === undefined ? [] : file.split("/"))];
  if (text.length > NAME_LENGTH_MAX || before.length > 2 || !segments.every(isSafeSegment)) {
    throw new UsageError(`A model's name is ${show(text)}, expected org/name, org/name:file or a plain name.`, {
      field: "model",
      hint: "Letters, digits and . _ + - are allowed; a segment begins with a letter, a digit or _ .",
    });
  }
  return { org: before.length === 2 ? before[0] : undefined, name: before.at(-1)!, file };
}

/** What stands between a model's name and an adapter's: "gemma@poet". */
const ADAPTER_MARK = "@";

/** The name of an adapter of `base`. Throws UsageError for a name that is none. */
export function adapterName(base: string, name: string): string {
  if (isSafeSegment(name)) return `${base}${ADAPTER_MARK}${name}`;
  const hint = "Letters, digits and . _ + - are allowed; it begins with a letter, a digit or _ .";
  throw new UsageError(`An adapter's name is ${show(name)}, expected a plain name.`, { field: "name", hint });
}

/** The two names in an adapter's; undefined for a model's. */
export function splitAdapterName(text: string): { readonly base: string; readonly adapter: string } | undefined {
  const at = text.lastIndexOf(ADAPTER_MARK);
  return at < 0 ? undefined : { base: text.slice(0, at), adapter: text.slice(at + 1) };
}

/** Whether `text` may stand between two slashes of a path. */
export function isSafeSegment(text: string): boolean {
  // "__proto__" cannot be a key of an object that is read from JSON
  return SEGMENT.test(text) && !text.endsWith(".") && !DEVICE.test(text) && text !== "__proto__";
}

/** A plain name made from a file's or folder's name: without its extension, what is not allowed becoming "-". */
export function nameFromFile(fileName: string): string {
  const name = fileName
    .replace(/\.(gguf|safetensors|bin)$/i, "")
    .replace(/-00001-of-\d{5}$/, "")
    .replaceAll(/[^\p{L}\p{N}\p{M}._+-]+/gu, "-")
    .replaceAll(/^[^\p{L}\p{N}_]+|[.-]+$/gu, "");
  return isSafeSegment(name) ? name : "model";
}
