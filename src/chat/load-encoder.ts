// An encoder as a loaded model: it embeds and ranks, and says so where it is asked to write.
import { now } from "#platform";
import { UnsupportedError } from "../base/errors.ts";
import type { Executor } from "../device/executor.ts";
import type { Engine, EngineOptions } from "../engine/index.ts";
import { createLanguageModel } from "./language-model.ts";
import { checkFits, fitModel } from "./memory.ts";
import { type ModelParts, infoOf } from "./model-parts.ts";
import { createReader } from "./reading/reader.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

/** Throws MemoryError before anything of size is allocated, UnsupportedError for an adapter. The model owns the parts. */
export async function loadEncoder(
  parts: ModelParts,
  executor: Executor,
  options: LoadOptions,
  kept: Pick<EngineOptions, "packs" | "codes">,
  startMs: number,
): Promise<LanguageModel> {
  const { tokenizer, chosen, endIds, defaults, title } = parts;
  if (options.adapter !== undefined) throw noAdapters(title);
  const fitted = await fitModel(parts, executor, options, undefined, kept);
  checkFits(title, fitted);
  const reader = createReader(parts, executor, options, kept);
  const encoder = await reader.open(options);
  const info = infoOf(parts, executor, {
    window: encoder.window,
    slots: 1,
    threads: encoder.threads,
    weights: encoder.weights,
    bytesPerToken: encoder.memory.bytesPerToken.encode,
    memory: fitted.memory,
    loadMs: now() - startMs,
  });
  return createLanguageModel({
    tokenizer,
    template: chosen.template,
    endIds,
    defaults,
    info,
    engine: withoutWriting(title),
    reader,
    attach: () => Promise.reject(noAdapters(title)),
    async close() {
      try {
        await reader.close();
      } finally {
        await parts.close();
      }
    },
  });
}

const noAdapters = (title: string): UnsupportedError =>
  new UnsupportedError(`Adapters of encoders such as ${title} are not attached yet.`, {
    hint: "`liang merge` folds one into its model.",
  });

function withoutWriting(title: string): Pick<Engine, "generate" | "logits" | "score"> {
  const refuse = (): never => {
    throw new UnsupportedError(`${title} is an encoder: it reads, and writes no text.`, {
      hint: "Ask it for embeddings, ranks or classes; take another model to write.",
    });
  };
  return {
    generate: refuse,
    logits: async () => refuse(),
    score: async () => refuse(),
  };
}
