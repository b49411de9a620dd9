// `liang quantize`: a smaller GGUF file of a model, and what that costs.
import { UsageError } from "../base/errors.ts";
import { resolveModel } from "../chat/describe.ts";
import { mixNamed, mixNames, quantize } from "../quantize/index.ts";
import { defineCommand, table } from "./command.ts";
import { metadataOf } from "./convert.ts";
import { progressBar } from "./progress-bar.ts";
import { importanceOf } from "./quantize-importance.ts";
import { showLadder } from "./quantize-ladder.ts";
import { comparedText, outputName } from "./quantize-names.ts";
import { reportLines } from "./quantize-report.ts";
import { note, out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Makes a smaller GGUF file of a model, and shows what that costs.",
  usage: "MODEL TYPE, or: --ladder MODEL",
  words: { least: 1, most: 2 },
  options: {
    ladder: { type: "boolean", help: "measure one model at each width instead, in a table and a plot; keeps no copy" },
    plot: { type: "string", hint: "FILE", help: "the ladder's plot, an SVG file (default: MODEL-ladder.svg here)" },
    out: { type: "string", short: "o", hint: "FILE", help: "the file to write (default: MODEL-TYPE.gguf here)" },
    importance: {
      type: "string",
      hint: "FILE|chats",
      help: "a text like those the model is for: columns that it excites are rounded with more care; chats: your own conversations; or a GGUF file with an importance matrix",
    },
    "save-importance": { type: "string", hint: "FILE", help: "keep the importance matrix, as a GGUF file" },
    text: { type: "string", short: "f", hint: "FILE", help: "what to compare with the original over (default: ours)" },
    "text-tokens": { type: "number", help: "compare over at most so many tokens (default 4096)" },
    compare: { type: "boolean", help: "--no-compare: do not run the original and the copy" },
    tensors: { type: "boolean", help: "show the error of every tensor" },
    threads: { type: "number", help: "threads (default: as many as there are cores)" },
    force: { type: "boolean", help: "replace what is there already" },
    set: { type: "string", multiple: true, hint: "KEY=TEXT", help: "GGUF metadata, such as general.license=mit" },
    json: { type: "boolean", help: "print the report as JSON" },
  },
  notes: [
    "MODEL: a listed name, a folder with safetensors, or a GGUF file.",
    `TYPE: ${table("", `${mixNames.join(", ")}.`, 6).trimStart()}`,
    "The file gets its name once it was opened again and held against MODEL.",
  ],
  async run(options, [model, typeName], signal) {
    const from = await resolveModel(model);
    const bar = progressBar();
    try {
      checkWords(options, typeName);
      const importance = await importanceOf(from, options, bar, signal);
      if (options.ladder === true) return await showLadder(from, options, importance, bar, signal);
      const type = mixNamed(typeName);
      const report = await quantize(from, options.out ?? outputName(from, type), {
        type,
        text: options.compare === false ? "" : await comparedText(options.text),
        metadata: metadataOf(options.set ?? []),
        onProgress: bar.report,
        signal,
        ...(importance !== undefined && { importance }),
        ...(options["text-tokens"] !== undefined && { textTokens: options["text-tokens"] }),
        ...(options.threads !== undefined && { threads: options.threads }),
        ...(options.force !== undefined && { force: options.force }),
      });
      bar.end();
      if (options.json) outJson(report);
      else {
        for (const line of reportLines(report, options.tensors === true)) out(line);
        for (const line of report.notes) note(line);
      }
    } finally {
      bar.end();
    }
  },
});

/** The ladder has every type, and makes no file; one type makes a file, and no plot. */
function checkWords(options: { ladder?: boolean; plot?: string; out?: string }, typeName: string | undefined): void {
  const { ladder = false, plot, out: target } = options;
  if (ladder && typeName !== undefined) {
    throw new UsageError(`--ladder measures all types; found ${JSON.stringify(typeName)} besides.`);
  }
  if (ladder && target !== undefined) throw new UsageError("--ladder keeps no file, so it takes no --out.");
  if (!ladder && typeName === undefined) {
    throw new UsageError(`Found no type, expected one of ${mixNames.join(", ")}.`, {
      hint: "Or measure them: --ladder.",
    });
  }
  if (!ladder && plot !== undefined) throw new UsageError("--plot is of --ladder.", { field: "plot" });
}
