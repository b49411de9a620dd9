// `liang quantize`: a smaller GGUF file of a model, and what that costs.
import { basename } from "node:path";
import { UsageError } from "../base/errors.ts";
import { resolveModel } from "../chat/describe.ts";
import {
  type Importance,
  isImportanceFile,
  measureImportance,
  mixNamed,
  mixNames,
  quantize,
  readImportance,
  writeImportance,
} from "../quantize/index.ts";
import { defineCommand, table } from "./command.ts";
import { metadataOf } from "./convert.ts";
import { languageSamples } from "./language-samples.ts";
import { type ProgressBar, progressBar } from "./progress-bar.ts";
import { reportLines } from "./quantize-report.ts";
import { note, out, outJson } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";

export const command = defineCommand({
  summary: "Makes a smaller GGUF file of a model, and shows what that costs.",
  usage: "MODEL TYPE",
  words: { least: 2, most: 2 },
  options: {
    out: { type: "string", short: "o", hint: "FILE", help: "the file to write (default: MODEL-TYPE.gguf here)" },
    importance: {
      type: "string",
      hint: "FILE",
      help: "a text like those the model is for: columns that it excites are rounded with more care; or a GGUF file with an importance matrix",
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
    const type = mixNamed(typeName);
    const from = await resolveModel(model);
    const bar = progressBar();
    try {
      const importance = await importanceOf(from, options, bar, signal);
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

/** The text that a person named, else ours: prose of several languages and a bit of code. */
export const comparedText = async (file: string | undefined): Promise<string> =>
  file === undefined ? languageSamples.map(({ text }) => text).join("\n\n") : await readTextFile(file);

/** "models/qwen-f16.gguf", "Q4_K_M" -> "qwen-Q4_K_M.gguf". */
export function outputName(from: string, type: string): string {
  const stem = basename(from).replace(/\.gguf$/i, "");
  const types = [...mixNames, "FP16", "FP32"].join("|");
  return `${stem.replace(new RegExp(`[-_.](${types})$`, "i"), "")}-${type}.gguf`;
}

async function importanceOf(
  from: string,
  options: { importance?: string; "save-importance"?: string; threads?: number },
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<Importance | undefined> {
  const { importance: file, "save-importance": target, threads } = options;
  if (file === undefined) {
    if (target === undefined) return undefined;
    throw new UsageError("--save-importance needs a text.", { field: "importance", hint: "Name one by --importance." });
  }
  if (await isImportanceFile(file)) return await readImportance(file);
  const measured = await measureImportance(from, await readTextFile(file), {
    onProgress: bar.report,
    signal,
    ...(threads !== undefined && { threads }),
  });
  bar.end();
  if (target !== undefined) await writeImportance(target, measured, basename(file));
  return measured.importance;
}
