// `liang eval`: measures a model on texts: perplexity, of a file in windows or of documents in JSONL, and whether it finds
// a needle in a haystack (needle-report.ts).
import { FormatError, UsageError } from "../base/errors.ts";
import { documentsPerplexity, filePerplexity } from "../eval/perplexity.ts";
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
  usage: "perplexity|needle MODEL",
  words: { least: 2, most: 2 },
  options: {
    file: { type: "string", short: "f", hint: "FILE", help: "a text, cut into windows; needle: the haystack" },
    jsonl: { type: "string", hint: "FILE", help: "a document a line, each with its BOS and EOS" },
    field: { type: "string", hint: "NAME", help: "the documents' field in --jsonl (default text)" },
    windows: { type: "string", hint: "LIST", help: "needle: tokens of prompt and reply (default 1024,4096)" },
    depths: { type: "string", hint: "LIST", help: "needle: percent of the text before it (default 0,25,50,75,100)" },
    language: { type: "string", hint: "LIST", help: "needle: en, zh (default both)" },
    trials: { type: "number", help: "needle: how many at each place (default 1)" },
    json: { type: "boolean", help: "print JSON" },
    ...loadingOptions,
    window: { type: "number", help: `tokens in a window (default ${WINDOW})` },
  },
  async run(options, [measure, path], signal) {
    const { windows, depths, language, trials, ...given } = options;
    if (measure === "needle") {
      const other = (["jsonl", "field", "window"] as const).find((name) => given[name] !== undefined);
      if (other !== undefined)
        throw new UsageError(`--${other} says nothing to needle.`, { hint: "Its windows: --windows." });
      const needle = { windows, depths, language, trials, file: options.file, json: options.json };
      await evalNeedle(path, needle, loadOptions(given), signal);
      return;
    }
    if (measure !== "perplexity") {
      throw new UsageError(`There is no measure ${JSON.stringify(measure)}.`, {
        hint: "There are: perplexity, needle.",
      });
    }
    const other = Object.entries({ windows, depths, language, trials }).find(([, value]) => value !== undefined);
    if (other !== undefined)
      throw new UsageError(`--${other[0]} says nothing to perplexity.`, { hint: "Its window: --window." });
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
