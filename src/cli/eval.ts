// `liang eval`: measures a model on texts: perplexity, of a file in windows or of documents in JSONL, and whether it finds
// a needle in a haystack (needle-report.ts), and what its cache costs as each type (cache-report.ts).
import { FormatError, UsageError } from "../base/errors.ts";
import { documentsPerplexity, filePerplexity } from "../eval/perplexity.ts";
import { evalCacheTypes } from "./cache-report.ts";
import { defineCommand } from "./command.ts";
import { evalNeedle } from "./needle-report.ts";
import { openModel } from "./open.ts";
import { readTextFile } from "./text-file.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { out, outJson, tabulate } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

const WINDOW = 512; // llama.cpp's default, so that figures compare

export const command = defineCommand({
  summary: "Measures how well a model predicts a text, or finds a sentence in one.",
  usage: "perplexity|needle|kv MODEL",
  words: { least: 2, most: 2 },
  options: {
    file: {
      type: "string",
      short: "f",
      hint: "FILE",
      help: "a text, cut into windows; needle: the haystack; kv: what is predicted",
    },
    jsonl: { type: "string", hint: "FILE", help: "a document a line, each with its BOS and EOS" },
    field: { type: "string", hint: "NAME", help: "the documents' field in --jsonl (default text)" },
    windows: { type: "string", hint: "LIST", help: "needle: tokens of prompt and reply (default 1024,4096)" },
    depths: { type: "string", hint: "LIST", help: "needle: percent of the text before it (default 0,25,50,75,100)" },
    language: { type: "string", hint: "LIST", help: "needle: en, zh (default both)" },
    trials: { type: "number", help: "needle: how many at each place (default 1)" },
    types: {
      type: "string",
      hint: "LIST",
      help: "kv: what keys and values are kept as (default q8_0,q4_0), beside f16",
    },
    context: { type: "number", help: "kv: tokens before those whose speed is measured (default 1024)" },
    "text-tokens": { type: "number", help: "kv: tokens of the text to look at (default 4096)" },
    json: { type: "boolean", help: "print JSON" },
    ...loadingOptions,
    window: { type: "number", help: `tokens in a window (default ${WINDOW})` },
  },
  async run(options, [measure, path], signal) {
    const measured = measures.find((known) => known === measure);
    if (measured === undefined) {
      throw new UsageError(`There is no measure ${JSON.stringify(measure)}.`, {
        hint: `There are: ${measures.join(", ")}.`,
      });
    }
    const foreign = Object.keys(options).find((name) => !(ownOptions[name] ?? measures).includes(measured));
    if (foreign !== undefined)
      throw new UsageError(`--${foreign} says nothing to ${measured}.`, { hint: "See --help." });
    if (measured === "needle") return await evalNeedle(path, options, loadOptions(options), signal);
    if (measured === "kv") return await evalCacheTypes(path, options, loadOptions(options), signal);
    if ((options.file === undefined) === (options.jsonl === undefined)) {
      throw new UsageError("Give either --file or --jsonl.");
    }
    const content = await readTextFile((options.file ?? options.jsonl)!);
    const documents = options.jsonl === undefined ? [] : readDocuments(options.jsonl, content, options.field ?? "text");
    const window = options.window ?? WINDOW;
    const loading = options.file === undefined ? loadOptions(options) : { ...loadOptions(options), window };
    await using model = await openModel(path, { ...loading, slots: 1, signal });
    const bar = progressBar();
    try {
      const measuring = { onProgress: bar.report, signal };
      const figures =
        options.jsonl === undefined
          ? await filePerplexity(model, content, window, measuring)
          : await documentsPerplexity(model, documents, measuring);
      bar.end();
      if (options.json) outJson(figures);
      else out(tabulate(Object.entries(figures).map(([name, value]) => [name, rounded(value as number)])));
    } finally {
      bar.end();
    }
  },
});

const measures = ["perplexity", "needle", "kv"] as const;
/** Options that not every measure knows. */
const ownOptions: Readonly<Record<string, readonly (typeof measures)[number][]>> = {
  jsonl: ["perplexity"],
  field: ["perplexity"],
  window: ["perplexity"],
  windows: ["needle"],
  depths: ["needle"],
  language: ["needle"],
  trials: ["needle"],
  types: ["kv"],
  context: ["kv"],
  "text-tokens": ["kv"],
  "kv-type": ["perplexity", "needle"],
};

const rounded = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(5));

function readDocuments(file: string, content: string, field: string): string[] {
  return content.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (cause) {
      throw new FormatError(file, `line ${index + 1}`, line, "JSON", { cause });
    }
    const text = (row as Record<string, unknown> | null)?.[field];
    if (typeof text !== "string")
      throw new FormatError(
        file,
        `line ${index + 1}, field ${field}`,
        text === undefined ? "missing" : typeof text,
        "text",
      );
    return [text];
  });
}
