// Where chat templates lie in model files: GGUF metadata, chat_template.jinja, tokenizer_config.json. Gives their
// sources; what they do is template.ts. Not here: built-in ones, for files that bring none.
import { FormatError } from "../base/errors.ts";
import type { TemplateSources } from "./template.ts";

const GGUF_KEY = "tokenizer.chat_template";

/** The templates of a GGUF file: the main one, and others as `tokenizer.chat_template.NAME`. */
export function ggufTemplates(metadata: Readonly<Record<string, unknown>>, file: string): TemplateSources {
  const keys = Object.keys(metadata).filter((key) => key.startsWith(`${GGUF_KEY}.`));
  const named = keys.map((key) => [key.slice(GGUF_KEY.length + 1), text(metadata[key], file, key)]);
  return { main: optionalText(metadata[GGUF_KEY], file, GGUF_KEY), named: Object.fromEntries(named) };
}

/** The templates of a Hugging Face folder; a chat_template.jinja goes before what tokenizer_config.json says. */
export function hfTemplates(
  tokenizerConfig: Readonly<Record<string, unknown>> | undefined,
  jinjaFile: string | undefined,
  folder: string,
): TemplateSources {
  const given = tokenizerConfig?.["chat_template"];
  const file = `${folder}/tokenizer_config.json`;
  if (!Array.isArray(given)) return { main: jinjaFile ?? optionalText(given, file, "chat_template"), named: {} };
  const named = given.map((entry: unknown, index) => {
    const field = `chat_template[${index}]`;
    if (typeof entry !== "object" || entry === null) throw new FormatError(file, field, entry, "name and template");
    const { name, template } = entry as { name?: unknown; template?: unknown };
    return [text(name, file, `${field}.name`), text(template, file, `${field}.template`)];
  });
  return { main: jinjaFile, named: Object.fromEntries(named) };
}

function optionalText(value: unknown, file: string, field: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, file, field);
}

function text(value: unknown, file: string, field: string): string {
  if (typeof value === "string") return value;
  throw new FormatError(file, field, value, "a text");
}
