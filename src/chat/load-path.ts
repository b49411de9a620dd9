// A path → a model that talks. Reads what is small, counts what the rest would take, and only then loads it. Not here: the
// doors that have names or files for paths (load.ts, load-files.ts), what a model can do then (language-model.ts).
import { collectGarbage, now } from "#platform";
import { openEngine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/types.ts";
import { openExecutor } from "./executors.ts";
import { createLanguageModel } from "./language-model.ts";
import { checkFits, fitModel } from "./memory.ts";
import { openModelParts, sizeOf } from "./model-parts.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

const WEIGHTS_LARGE_BYTES = 64 << 20;

/** Where packed weights and machine code are kept between starts. */
export type Kept = Pick<EngineOptions, "packs" | "codes">;

/** Loads the model at a path of the platform; `kept`: what starts leave to later ones. Throws as `load` does. */
export async function loadPath(path: string, options: LoadOptions = {}, kept: Kept = {}): Promise<LanguageModel> {
  const startMs = now();
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const parts = await openModelParts(path, options.template, onProgress);
  try {
    const { model, store, tokenizer, chosen, defaults, endIds } = parts;
    const executor = await openExecutor(options.executor);
    const fitted = await fitModel(parts, executor, options, undefined, kept.packs);
    checkFits(parts.title, fitted);
    signal?.throwIfAborted();
    const engine = await openEngine(model, store, executor, { ...fitted.engine, ...kept, onProgress, signal });
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
        ...(executor.notice !== undefined && { notice: executor.notice }),
        threads: engine.threads,
        weights: engine.weights,
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
