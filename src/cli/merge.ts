// `liang merge`: an adapter folded into its model, which then needs none.
import { UsageError, show } from "../base/errors.ts";
import { openExecutor } from "../chat/executors.ts";
import { mergeAdapter } from "../train/merge.ts";
import { defineCommand } from "./command.ts";
import { writeGguf } from "./gguf-beside.ts";
import { progressBar } from "./progress-bar.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Folds an adapter into its model, and proves that the result is the same.",
  usage: "MODEL ADAPTER",
  words: { least: 2, most: 2 },
  options: {
    out: { type: "string", short: "o", hint: "FOLDER", help: "the folder to write" },
    type: { type: "string", hint: "TYPE", help: "f32 (default) or bf16: what weights are written as" },
    gguf: { type: "boolean", help: "write model.gguf beside the result (default; --no-gguf: do not)" },
    force: { type: "boolean", help: "replace what is there already" },
    json: { type: "boolean", help: "print what was written and compared as JSON" },
    threads: loadingOptions.threads,
    executor: loadingOptions.executor,
  },
  notes: [
    "MODEL: a listed name, a folder or a GGUF file. ADAPTER: a folder as PEFT and",
    "liang train write it, or a GGUF file. The result is a folder that transformers",
    "opens; it gets its name once it was opened again and its logits were those of",
    "the model with the adapter beside it.",
  ],
  async run(options, [model, adapter], signal) {
    const { type = "f32", out: to } = options;
    if (to === undefined)
      throw new UsageError("There is no folder to write.", { field: "out", hint: "Give -o FOLDER." });
    if (type !== "f32" && type !== "bf16") {
      throw new UsageError(`--type is ${show(type)}, expected f32 or bf16.`, { field: "type" });
    }
    const { threads, executor } = loadOptions({ threads: options.threads, executor: options.executor });
    const bar = progressBar();
    const report = await mergeAdapter(model, adapter, to, await openExecutor(executor), {
      type,
      force: options.force,
      threads,
      signal,
      onProgress: bar.report,
    }).finally(bar.end);
    const gguf = options.gguf === false ? undefined : await writeGguf(to, signal);
    if (options.json) {
      outJson({ ...report, gguf: gguf ?? null });
      return;
    }
    const { positions, largestDifference, allowed } = report.logits;
    out([report.path, ...(gguf === undefined ? [] : [gguf])].join("\n"));
    out(
      `${report.projections} projections changed; logits of ${positions} positions differ by at most ` +
        `${largestDifference.toExponential(1)} (allowed ${allowed.toExponential(1)}).`,
    );
  },
});
