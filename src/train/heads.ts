// Heads that an objective puts on a model: rewards, values. They are no weights of the family, so other programs' files of
// the model do not have them; they lie beside in heads.safetensors, and whoever opens the folder to train or to ask finds them.
import { fileFacts, joinPath, openFile } from "#platform";
import { FormatError, show } from "../base/errors.ts";
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import { type SafetensorToWrite, readSafetensors } from "../format/safetensors.ts";
import { weightState } from "../models/index.ts";
import { VALUE_WEIGHT } from "./objectives/ppo.ts";
import { REWARD_WEIGHT } from "./objectives/reward.ts";

export const HEADS_FILE = "heads.safetensors";
const NAMES: readonly string[] = [REWARD_WEIGHT, VALUE_WEIGHT];

export const isHead = (parameter: string): boolean => NAMES.includes(parameter);

/** The heads that there are, trained (f32, (1, C)) or of a store that has them. */
export async function headTensors(
  states: Readonly<Record<string, Float32Array>>,
  store: ParameterStore,
): Promise<SafetensorToWrite[]> {
  const tensors: SafetensorToWrite[] = [];
  for (const name of NAMES) {
    const values = states[weightState(name)] ?? (await storedHead(store, name));
    if (values === undefined) continue;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    tensors.push({ name, dtype: "F32", shape: [1, values.length], data: () => [bytes] });
  }
  return tensors;
}

async function storedHead(store: ParameterStore, name: string): Promise<Float32Array | undefined> {
  const head = store.parameters.get(name);
  if (head === undefined) return undefined;
  const values = new Float32Array(head.columns);
  await store.readRows(name, 0, new Uint8Array(values.buffer));
  return values;
}

/** A model's weights, and the heads of its folder where there are any. Throws FormatError for what is no head. */
export async function withHeads(store: ParameterStore, folder: string): Promise<ParameterStore> {
  const path = joinPath(folder, HEADS_FILE);
  if ((await fileFacts(path))?.kind !== "file") return store;
  const heads = new Map<string, Uint8Array>();
  const parameters = new Map<string, StoredParameter>(store.parameters);
  const file = await openFile(path);
  try {
    for (const [name, { dtype, shape, offset, byteLength }] of (await readSafetensors(file)).tensors) {
      if (!isHead(name) || dtype !== "F32" || shape.length !== 2 || shape[0] !== 1) {
        throw new FormatError(path, name, `${dtype} ${show([...shape])}`, `one of ${NAMES.join(", ")}, F32 [1, C]`);
      }
      const bytes = new Uint8Array(byteLength);
      await file.read(offset, bytes);
      heads.set(name, bytes);
      parameters.set(name, { name, rows: 1, columns: shape[1], format: "f32", byteLength });
    }
  } finally {
    await file.close();
  }
  return {
    ...store,
    parameters,
    async readRows(name, firstRow, into) {
      const bytes = heads.get(name);
      if (bytes === undefined) await store.readRows(name, firstRow, into);
      else into.set(bytes);
    },
  };
}
