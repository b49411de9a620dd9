// What the states of a run are before its first step.
import { initialiseAdapter } from "./initial-adapter.ts";
import { initialiseWeights } from "./initial-weights.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { readWeights } from "./saved-tensors.ts";

/** New weights by the recipe's seed, those of the model that is trained further, or an adapter that changes nothing yet. */
export async function initialStates(
  { start, store, adapter, recipe }: Pick<PreparedRun, "start" | "store" | "adapter" | "recipe">,
  states: Readonly<Record<string, Float32Array>>,
  signal?: AbortSignal,
): Promise<void> {
  if (start.store === undefined) initialiseWeights(start.model, states, recipe.seed);
  else await readWeights(start.store, states, signal);
  if (adapter !== undefined) await initialiseAdapter(store, states, recipe.seed);
}
