// How large a model is opened: the window and the slots, by what memory there is, and the numbers that say so before
// anything is allocated ("will it fit").
import { machineFacts } from "#platform";
import { MemoryError } from "../base/errors.ts";
import type { Executor } from "../device/executor.ts";
import { plan } from "../engine/index.ts";
import type { EngineOptions } from "../engine/index.ts";
import type { ModelParts } from "./model-parts.ts";
import type { LoadOptions, MemoryPlan } from "./types.ts";

/** Longer conversations are rare, and every slot holds room for one. */
const WINDOW_DEFAULT = 8192;
/** Below this a conversation is hardly one; a smaller window must be asked for. */
const WINDOW_LEAST = 512;
const SLOTS_DEFAULT = 4;

export interface FittedModel {
  readonly engine: EngineOptions;
  readonly memory: MemoryPlan;
}

/**
 * The first of these that fits: the default slots, fewer slots, a smaller window; what the caller asks for stays as it
 * is. `memory.fits` is false when not even the smallest does. `availableBytes`: default the machine's. `packs`: where
 * packed weights are kept and mapped from, so that what nobody reads of them takes no memory. `adapters`: places for them.
 */
export async function fitModel(
  { model, store, defaults }: Pick<ModelParts, "model" | "store"> & Partial<Pick<ModelParts, "defaults">>,
  executor: Executor,
  options: LoadOptions,
  availableBytes?: number,
  { packs, adapters }: Pick<EngineOptions, "packs" | "adapters"> = {},
): Promise<FittedModel> {
  const available = availableBytes ?? (await machineFacts()).memoryAvailableBytes;
  const { threads, pin, precision, kvType } = options;
  const largest = options.window ?? Math.min(model.window, WINDOW_DEFAULT);
  const beams = options.beams ?? defaults?.beams ?? 1; // each is a sequence
  const { slots } = options;
  const slotCounts = slots === undefined ? halves(Math.max(SLOTS_DEFAULT, beams), beams) : [Math.max(slots, beams)];
  const windows = options.window === undefined ? halves(largest, WINDOW_LEAST) : [largest];
  const sizes = [
    ...slotCounts.map((slots) => ({ window: largest, slots })),
    ...windows.slice(1).map((window) => ({ window, slots: slotCounts.at(-1) ?? 1 })),
  ];
  let fitted: FittedModel | undefined;
  for (const size of sizes) {
    const engine = { ...size, threads, pin, precision, kvType, packs, adapters };
    fitted = { engine, memory: await plan(model, store, executor, engine, available) };
    if (fitted.memory.fits) return fitted;
  }
  return fitted!;
}

/** Throws MemoryError unless it fits. */
export function checkFits(name: string, { engine, memory }: FittedModel): void {
  if (memory.fits) return;
  throw new MemoryError(`${name} with a window of ${engine.window} tokens`, memory.totalBytes, memory.availableBytes, {
    hint: "Close other programs, ask for a smaller window or fewer slots, or take a smaller model.",
  });
}

/** `from`, then halves of it, as long as they are at least `least`. */
function halves(from: number, least: number): number[] {
  const numbers = [from];
  while (Math.floor(numbers[numbers.length - 1] / 2) >= least)
    numbers.push(Math.floor(numbers[numbers.length - 1] / 2));
  return numbers;
}
