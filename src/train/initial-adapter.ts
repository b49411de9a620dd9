// What an adapter is before it has learnt anything: nothing that changes the model.
import { uniform } from "../base/random.ts";
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import { weightState } from "../models/index.ts";
import { loraWeights } from "../nn/index.ts";
import { currentValues } from "./saved-tensors.ts";
import { pieces } from "../convert/values.ts";

/** The stream of `uniform` that an adapter's weights use; a projection's own is this plus its place among them. */
const FIRST_STREAM = 2 ** 23;
const ENDING = loraWeights("").a;
const FLOAT_BYTES = 4;

/** A store that has the sums of squares of the rows of projections' weights beside them, as DoRA reads them. */
export function withSquares(store: ParameterStore, projections: readonly string[]): ParameterStore {
  const weights = new Map(projections.map((name) => [loraWeights(name).squares, `${name}.weight`]));
  const squares = [...weights].map(([name, weight]): [string, StoredParameter] => {
    const columns = store.parameters.get(weight)!.rows;
    return [name, { name, rows: 1, columns, format: "f32", byteLength: columns * FLOAT_BYTES }];
  });
  return {
    ...store,
    parameters: new Map([...store.parameters, ...squares]),
    async readRows(name, firstRow, into) {
      const weight = weights.get(name);
      if (weight === undefined) return await store.readRows(name, firstRow, into);
      const sums = new Float32Array(into.byteLength / FLOAT_BYTES);
      const { columns } = store.parameters.get(weight)!;
      for await (const piece of pieces(store, weight)) {
        const values = piece.values();
        for (let i = 0; i < values.length; i += columns) {
          const row = values.subarray(i, i + columns);
          sums[piece.firstRow + i / columns] = row.reduce((sum, value) => sum + value * value, 0);
        }
      }
      into.set(new Uint8Array(sums.buffer));
    },
  };
}

/**
 * Fills the states of adapters: A with uniform numbers up to 1 / sqrt(K) (as PEFT does: He et al. 2015 with a = sqrt(5)), B
 * with 0, magnitudes with the lengths of the weights' rows, whose squares `store` has. Equal seeds: equal bytes.
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
    const { columns } = store.parameters.get(`${projection}.weight`)!;
    const most = 1 / Math.sqrt(columns);
    const a = states[weightState(names.a)];
    for (let i = 0; i < a.length; i++) a[i] = most * (2 * uniform(seed, FIRST_STREAM + place, i) - 1);
    states[weightState(names.b)].fill(0);
    const magnitudes = states[weightState(names.magnitude)];
    magnitudes?.set((await currentValues({}, store, names.squares)).map(Math.sqrt));
  }
}
