// What an adapter is before it has learnt anything: nothing that changes the model.
import { uniform } from "../base/random.ts";
import type { ParameterStore } from "../device/executor.ts";
import { weightState } from "../models/index.ts";
import { loraWeights } from "../nn/index.ts";
import { currentValues } from "./saved-tensors.ts";

/** The stream of `uniform` that an adapter's weights use; a projection's own is this plus its place among them. */
const FIRST_STREAM = 2 ** 23;
const ENDING = loraWeights("").a;

/**
 * Fills the states of adapters: A with uniform numbers up to 1 / sqrt(K) (as PEFT does: He et al. 2015 with a = sqrt(5)), B
 * with 0, magnitudes with the lengths of the weights' rows, read from `store`. Equal seeds: equal bytes.
 */
export async function initialiseAdapter(
  store: ParameterStore,
  states: Readonly<Record<string, Float32Array>>,
  seed: number,
): Promise<void> {
  const prefix = weightState("");
  const projections = Object.keys(states)
    .filter((name) => name.startsWith(prefix) && name.endsWith(ENDING))
    .map((name) => name.slice(prefix.length, -ENDING.length));
  for (const [place, projection] of projections.entries()) {
    const names = loraWeights(projection);
    const { rows, columns } = store.parameters.get(`${projection}.weight`)!;
    const most = 1 / Math.sqrt(columns);
    const a = states[weightState(names.a)];
    for (let i = 0; i < a.length; i++) a[i] = most * (2 * uniform(seed, FIRST_STREAM + place, i) - 1);
    states[weightState(names.b)].fill(0);
    const magnitudes = states[weightState(names.magnitude)];
    if (magnitudes === undefined) continue;
    const values = await currentValues(states, store, `${projection}.weight`);
    for (let row = 0; row < rows; row++) {
      const weights = values.subarray(row * columns, (row + 1) * columns);
      magnitudes[row] = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0));
    }
  }
}
