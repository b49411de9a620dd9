// `liang convert`: a model from a Hugging Face folder or a llama2.c checkpoint to GGUF, or from GGUF to a folder.
import { UsageError } from "../base/errors.ts";
import { resolveModel } from "../chat/describe.ts";
import { type ConvertReport, type ConvertType, convert, convertTypes } from "../convert/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, note, out, outJson, tabulate } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

export const command = defineCommand({
  summary: "Converts between Hugging Face folders, GGUF files and llama2.c checkpoints.",
  usage: "IN OUT",
  words: { least: 2, most: 2 },
  options: {
    type: { type: "string", hint: "TYPE", help: "keep (default), f32, f16 or bf16: what matrices are written as" },
    force: { type: "boolean", help: "replace what is there already" },
    tokenizer: {
      type: "string",
      hint: "FILE",
      help: "tokenizer of a llama2.c checkpoint (default: the one beside it)",
    },
    set: { type: "string", multiple: true, hint: "KEY=TEXT", help: "GGUF metadata, such as general.license=mit" },
    json: { type: "boolean", help: "print what was written and compared as JSON" },
  },
  notes: [
    "IN: a listed name, a folder with safetensors, a GGUF file or a llama2.c .bin.",
    "OUT: a GGUF file where it ends in .gguf, else a folder.",
    "What was written is opened again and compared with IN before it gets its name.",
  ],
  async run(options, [from, to], signal) {
    const bar = progressBar();
    let report: ConvertReport;
    try {
      report = await convert(await resolveModel(from), to, {
        type: typeOf(options.type),
        force: options.force,
        tokenizer: options.tokenizer,
        metadata: metadataOf(options.set ?? []),
        onProgress: bar.report,
        signal,
      });
    } finally {
      bar.end();
    }
    if (options.json) outJson(report);
    else {
      out(summary(report, options.type));
      for (const line of report.notes) note(line);
    }
  },
});

function typeOf(type: string | undefined): ConvertType | undefined {
  if (type === undefined || (convertTypes as readonly string[]).includes(type)) return type as ConvertType | undefined;
  throw new UsageError(`--type is ${JSON.stringify(type)}, expected ${convertTypes.join(", ")}.`, { field: "type" });
}

/** --set's KEY=TEXT. */
export function metadataOf(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf("=");
      if (at > 0) return [setting.slice(0, at), setting.slice(at + 1)];
      throw new UsageError(`--set is ${JSON.stringify(setting)}, expected KEY=TEXT.`, { field: "set" });
    }),
  );
}

function summary(
  { path, family, tensors, parameters, bytes: size, checks }: ConvertReport,
  type: string | undefined,
): string {
  const { weights, texts, logits } = checks;
  return [
    `${path}: ${family}, ${parameters} weights in ${tensors} tensors, ${bytes(size)}`,
    tabulate([
      [
        "  weights",
        `${weights} equal bit for bit${type === undefined || type === "keep" ? "" : ` once rounded to ${type}`}`,
      ],
      ["  tokenizer", texts === undefined ? "none to compare" : `${texts} texts give the same ids`],
      [
        "  logits",
        `of ${logits.ids} ids within ${logits.largestDifference.toExponential(1)} (allowed ${logits.tolerance.toExponential(1)})`,
      ],
    ]),
  ].join("\n");
}
