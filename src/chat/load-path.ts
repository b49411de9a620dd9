// A path → a model that talks. Reads what is small, counts what the rest would take, and only then loads it. Not here: the
// doors that have names or files for paths (load.ts, load-files.ts), what a model can do then (language-model.ts), with
// adapters (adapted-model.ts).
import { collectGarbage, machineFacts, now } from "#platform";
import { type AdapterRoom, roomFor } from "../engine/adapters.ts";
import { openEngine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/types.ts";
import { writes } from "../models/index.ts";
import { AdaptableEngine } from "./adaptable-engine.ts";
import { createAdaptableModel, readAdapterAt } from "./adapted-model.ts";
import { openExecutor } from "./executors.ts";
import { checkFits, fitModel } from "./memory.ts";
import { infoOf, openModelParts } from "./model-parts.ts";
import { createReader } from "./reading/reader.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

const WEIGHTS_LARGE_BYTES = 64 << 20;

/** Where packed weights and machine code are kept between starts. */
export type Kept = Pick<EngineOptions, "packs" | "codes">;

/** Loads the model at a path of the platform; `kept`: what starts leave to later ones. Throws as `load` does. */
export async function loadPath(path: string, options: LoadOptions = {}, kept: Kept = {}): Promise<LanguageModel> {
  const startMs = now();
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const parts = await openModelParts(path, options, onProgress);
  try {
    const { model, store } = parts;
    const executor = await openExecutor(options.executor);
    if (!writes(model)) {
      const { loadEncoder } = await import("./load-encoder.ts");
      return await loadEncoder(parts, executor, options, kept, startMs);
    }
    const first = options.adapter === undefined ? undefined : await readAdapterAt(options.adapter, parts, signal);
    const firstRoom = first && roomFor(model, [first.tables]);
    const fitted = await fitModel(parts, executor, options, undefined, { ...kept, adapters: firstRoom });
    checkFits(parts.title, fitted);
    signal?.throwIfAborted();
    const open = (adapters: AdapterRoom | undefined, how: Pick<LoadOptions, "onProgress" | "signal"> = {}) =>
      openEngine(model, store, executor, { ...fitted.engine, ...kept, adapters, ...how });
    const engine = await open(firstRoom, { onProgress, signal });
    const adaptable = new AdaptableEngine(engine, firstRoom, {
      open,
      room: (adapters) => roomFor(model, adapters),
      async check(adapters) {
        const sizes = { ...options, window: engine.window, slots: engine.slots };
        // what the model takes now is free again by then
        const available = (await machineFacts()).memoryAvailableBytes + fitted.memory.totalBytes;
        const more = await fitModel(parts, executor, sizes, available, { ...kept, adapters });
        checkFits(`${parts.title} with adapters`, more);
      },
    });
    const info = infoOf(parts, executor, {
      window: engine.window,
      slots: engine.slots,
      threads: engine.threads,
      weights: engine.weights,
      bytesPerToken: engine.bytesPerToken,
      memory: fitted.memory,
      loadMs: now() - startMs,
    });
    const reader = createReader(parts, executor, options, kept);
    const close = async (): Promise<void> => {
      try {
        await reader.close();
        await adaptable.close();
      } finally {
        await parts.close();
      }
      // else a large model stays in memory until some later collection, when the next one already had no room
      if (engine.memory.weightBytes > WEIGHTS_LARGE_BYTES) await collectGarbage();
    };
    const { base, attach } = createAdaptableModel(parts, info, adaptable, reader, close);
    if (first === undefined) return base;
    const adapted = await attach(first, { signal });
    return { ...adapted, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await parts.close();
    throw error;
  }
}
