// The content of models.json: names, and where their files are. Checked by hand, since it is read at every start, which a
// library of schemas would make slower than all else here.
import { FormatError } from "../base/errors.ts";

export interface ModelEntry {
  readonly path: string;
  readonly addedAt: number;
  /** Of an adapter: the name of the model that it is for. */
  readonly base?: string | undefined;
  readonly source?: string | undefined;
}

export interface ModelsFile {
  readonly version: 1;
  readonly models: Record<string, ModelEntry>;
}

/** Without a file (`text` undefined) an empty list. Throws FormatError that names the field. */
export function parseModels(file: string, text: string | undefined): ModelsFile {
  if (text === undefined) return { version: 1, models: {} };
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(file, "content", text.slice(0, 40), "JSON", { cause, hint: "Repair or delete the file." });
  }
  const { version, models } = fieldsOf(file, "content", content);
  if (version !== 1) throw new FormatError(file, "version", version, "1");
  const entries = Object.entries(fieldsOf(file, "models", models)).map(([name, entry]) => {
    return [name, parseEntry(file, `models.${name}`, entry)] as const;
  });
  return { version: 1, models: Object.fromEntries(entries) };
}

function parseEntry(file: string, field: string, entry: unknown): ModelEntry {
  const { path, addedAt, source, base } = fieldsOf(file, field, entry);
  if (typeof path !== "string") throw new FormatError(file, `${field}.path`, path, "a path");
  if (typeof addedAt !== "number") throw new FormatError(file, `${field}.addedAt`, addedAt, "a number");
  const [from, of] = [optionalText(file, `${field}.source`, source), optionalText(file, `${field}.base`, base)];
  return { path, addedAt, ...(from !== undefined && { source: from }), ...(of !== undefined && { base: of }) };
}

function optionalText(file: string, field: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new FormatError(file, field, value, "a string");
}

function fieldsOf(file: string, field: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new FormatError(file, field, value, "an object, as Liang writes it");
}
