// The narrow door: a name or a path → a model that talks. Reads what is small, counts what the rest would take, and
// only then loads it. Not here: what it can do then (language-model.ts).
import { collectGarbage, now } from "#platform";
import { openEngine } from "../engine/engine.ts";
import { sizeOf } from "./describe.ts";
import { openExecutor } from "./executors.ts";
import { createLanguageModel } from "./language-model.ts";
import { checkFits, fitModel } from "./memory.ts";
import { openModelParts } from "./model-parts.ts";
import { resolveModel } from "./resolve.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

const WEIGHTS_LARGE_BYTES = 64 << 20;

/**
 * Loads a model: a name on the model list, a GGUF file (any part of a split one), or a Hugging Face folder.
 *
 * Throws NotFoundError when nothing is there, FormatError for files that break their format, UnsupportedError for a
 * model that Liang does not know, MemoryError with the numbers before anything is allocated, AbortError.
 *
 * ```ts
 * await using model = await load("stories260k");
 * for await (const part of model.chat([{ role: "user", content: "Once upon a time" }])) {
 *   if (part.type === "text-delta") story += part.text;
 * }
 * ```
 */
export async function load(nameOrPath: string, options: LoadOptions = {}): Promise<LanguageModel> {
  const startMs = now();
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const path = await resolveModel(nameOrPath);
  const parts = await openModelParts(path, options.template, onProgress);
  try {
    const { model, store, tokenizer, chosen, defaults, endIds } = parts;
    const executor = await openExecutor(options.executor);
    const fitted = await fitModel(parts, executor, options);
    checkFits(parts.title, fitted);
    signal?.throwIfAborted();
    const engine = await openEngine(model, store, executor, { ...fitted.engine, onProgress, signal });
    return createLanguageModel({
      info: {
        name: parts.title,
        path,
        family: model.family,
        ...sizeOf(parts),
        vocabularySize: model.vocabularySize,
        bosId: tokenizer.specials.bos,
        eosId: tokenizer.specials.eos,
        addBos: tokenizer.addBos,
        window: engine.window,
        slots: engine.slots,
        trainedWindow: model.window,
        executor: executor.name,
        tier: executor.tier,
        threads: engine.threads,
        bytesPerToken: engine.bytesPerToken,
        memory: fitted.memory,
        template: chosen.from,
        loadMs: now() - startMs,
      },
      engine,
      tokenizer,
      template: chosen.template,
      endIds,
      defaults,
      async close() {
        try {
          await engine.close();
        } finally {
          await parts.close();
        }
        // else a large model stays in memory until some later collection, when the next one already had no room
        if (engine.memory.weightBytes > WEIGHTS_LARGE_BYTES) await collectGarbage();
      },
    });
  } catch (error) {
    await parts.close();
    throw error;
  }
}
