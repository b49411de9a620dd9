// `liang tokenize`: text to ids and back, and the exact prompt that a conversation becomes. Reads no weights.
import process from "node:process";
import { text as readAll } from "node:stream/consumers";
import { FormatError, UsageError } from "../base/errors.ts";
import { type OpenTextSide, openTextSide } from "../chat/open-text-side.ts";
import type { Message, Tool } from "../chat/types.ts";
import { defineCommand } from "./command.ts";
import { readTextFile } from "./text-file.ts";
import { out, outJson, paint, tabulate } from "./terminal.ts";

export const command = defineCommand({
  summary: "Turns text into ids and back; shows the exact prompt of a conversation.",
  usage: "[TEXT]",
  words: { least: 0, most: 1 },
  options: {
    model: { type: "string", short: "m", hint: "MODEL", help: "whose tokenizer (default: the built-in model's)" },
    special: { type: "boolean", help: "special tokens in the text are recognised" },
    bos: { type: "boolean", help: "put BOS first where the model wants it" },
    decode: { type: "boolean", help: "the other way: ids (1,2,3) to text" },
    jsonl: { type: "boolean", help: "a JSON string a line in, a JSON array of ids a line out (--decode: the inverse)" },
    json: { type: "boolean", help: "print one JSON document" },
    template: { type: "boolean", help: "TEXT is a message (or --messages): show the exact prompt" },
    messages: {
      type: "string",
      hint: "FILE",
      help: "the conversation: a JSON list of {role, content} (-: standard input)",
    },
    tools: { type: "string", hint: "FILE", help: "tool definitions for the template: a JSON list" },
    system: { type: "string", short: "s", help: "system prompt, with --template" },
  },
  notes: ["Without TEXT it reads standard input."],
  async run(options, [word]) {
    await using model = await openTextSide(options.model ?? "stories260k");
    if (options.template) await showPrompt(model, options, word);
    else if (options.jsonl) await convertLines(model, options);
    else if (options.decode) {
      const text = model.detokenize(parseIds(model, word ?? (await readAll(process.stdin))));
      if (options.json) outJson({ text });
      else out(text);
    } else {
      const ids = model.tokenize(word ?? (await readAll(process.stdin)), options);
      if (options.json) outJson({ ids });
      else out(tokenTable(model, ids));
    }
  },
});

interface PromptOptions {
  readonly messages?: string;
  readonly tools?: string;
  readonly system?: string;
  readonly json?: boolean;
}

async function showPrompt(model: OpenTextSide, options: PromptOptions, word: string | undefined): Promise<void> {
  const tools = options.tools === undefined ? undefined : ((await readList(options.tools)) as Tool[]);
  const asked =
    options.messages === undefined
      ? [{ role: "user", content: word ?? (await readAll(process.stdin)) } as const]
      : ((await readList(options.messages)) as Message[]);
  const system = options.system === undefined ? [] : [{ role: "system", content: options.system } as const];
  const messages = [...system, ...asked];
  const text = await model.render(messages, { tools });
  if (options.json) outJson({ text, ids: await model.promptIds(messages, { tools }) });
  else process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

async function readList(file: string): Promise<unknown[]> {
  const content = file === "-" ? await readAll(process.stdin) : await readTextFile(file);
  const value = parseJson(file, "content", content);
  if (!Array.isArray(value)) throw new FormatError(file, "content", typeof value, "a JSON list");
  return value;
}

/** Line by line, so that a long file streams through. Lines end at \n alone: JSON strings may hold other line breaks. */
async function convertLines(
  model: OpenTextSide,
  { decode, special, bos }: { decode?: boolean; special?: boolean; bos?: boolean },
): Promise<void> {
  let number = 0;
  const convert = (line: string): string => {
    number++;
    if (line.trim() === "") return "";
    const value = parseJson("standard input", `line ${number}`, line);
    if (decode) return `${JSON.stringify(model.detokenize(checkIds(model, value, `line ${number}`)))}\n`;
    if (typeof value !== "string") {
      throw new FormatError("standard input", `line ${number}`, typeof value, "a JSON string");
    }
    return `${JSON.stringify(model.tokenize(value, { special, bos }))}\n`;
  };
  let rest = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    const lines = (rest + (chunk as string)).split("\n");
    rest = lines.pop()!;
    const converted = lines.map(convert).join("");
    if (!process.stdout.write(converted)) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
  if (rest !== "") process.stdout.write(convert(rest));
}

function parseJson(file: string, field: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new FormatError(file, field, text, "JSON", { cause });
  }
}

function parseIds(model: OpenTextSide, text: string): number[] {
  const words = text.split(/[\s,[\]]+/).filter((word) => word !== "");
  return checkIds(model, words.map(Number), "ids");
}

function checkIds({ tokenizer }: OpenTextSide, value: unknown, field: string): number[] {
  const isId = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < tokenizer.vocabularySize;
  if (Array.isArray(value) && value.every(isId)) return value as number[];
  throw new UsageError(`${field}: expected ids from 0 to ${tokenizer.vocabularySize - 1}, such as 1,2,3.`, { field });
}

/** A token's text in quotes; of bytes that are no whole characters their hexadecimal form. */
function tokenText(tokenizer: OpenTextSide["tokenizer"], id: number): string {
  const bytes = tokenizer.tokenBytes(id);
  try {
    return JSON.stringify(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
}

/** One row a token: its id, its text, and what it is when it is no plain text. */
function tokenTable({ tokenizer }: OpenTextSide, ids: readonly number[]): string {
  const rows = ids.map((id) => {
    const kind = tokenizer.tokenClass(id);
    return [String(id).padStart(7), tokenText(tokenizer, id), kind === "normal" ? "" : paint("faint", kind)];
  });
  return [...(rows.length > 0 ? [tabulate(rows)] : []), paint("faint", `${ids.length} tokens`)].join("\n");
}
