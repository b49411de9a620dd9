// Weights of a model → the tensors of a folder that transformers opens: the loading map read backwards. Also weights
// into states, and states as a store that an engine can run. Not here: files (checkpoint.ts).
import { pieces } from "../convert/values.ts";
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import type { SafetensorToWrite } from "../format/safetensors.ts";
import { type HeadRows, type Model, type WeightRow, weightState } from "../models/index.ts";
import { fileRows, storedShape } from "../models/loading.ts";
import { expertName, expertShape, isEach } from "../models/expert-rows.ts";
import { formats } from "../numeric/registry.ts";

export type SavedType = "f32" | "bf16";
export const DTYPES = { f32: "F32", bf16: "BF16" } as const satisfies Record<SavedType, SafetensorToWrite["dtype"]>;

type States = Readonly<Record<string, Float32Array>>;

/**
 * The tensors of `model.safetensors`, in the order of the loading map; `valuesOf` gives a parameter's values, row-major.
 * Reading them back through the family's loading map gives the values again, but for what `type` rounds, and for gains
 * that a family stores less 1, where they are below 0.5.
 */
export function savedTensors(
  { parameters, weightRows }: Pick<Model, "parameters" | "weightRows">,
  valuesOf: (parameter: string) => Promise<Float32Array>,
  type: SavedType,
): SafetensorToWrite[] {
  const byTensor = new Map<string, WeightRow[]>();
  for (const row of weightRows) {
    if (!parameters.has(row.parameter)) continue; // optional, and not in this model
    byTensor.set(row.hf, [...(byTensor.get(row.hf) ?? []), row]);
  }
  return [...byTensor].flatMap(([name, rows]): SafetensorToWrite[] => {
    if (rows[0].experts !== undefined) return expertTensors(rows, name, valuesOf, type);
    const shape = storedShape(rows[0], "hf");
    const tensor: SafetensorToWrite = {
      name,
      dtype: DTYPES[type],
      shape,
      async *data() {
        const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
        for (const row of rows) place(row, await valuesOf(row.parameter), values);
        yield formats[type].encode!(values);
      },
    };
    return [tensor];
  });
}

/** The tensors that hold experts of the rows' parameters: one of each expert, or one of all. */
function expertTensors(
  weightRows: readonly WeightRow[],
  name: string,
  valuesOf: (parameter: string) => Promise<Float32Array>,
  type: SavedType,
): SafetensorToWrite[] {
  const [{ experts = 1, hfTurns, hfTransposed }] = weightRows;
  const [rows, columns] = expertShape(weightRows[0]);
  const names = isEach(name) ? Array.from({ length: experts }, (_, expert) => expertName(name, expert)) : [name];
  const size = experts / names.length;
  const matrix = [rows * (hfTurns?.of ?? 1), columns];
  const stored = hfTransposed === true ? matrix.toReversed() : matrix;
  return names.map((name, i) => ({
    name,
    dtype: DTYPES[type],
    shape: isEach(weightRows[0].hf) ? stored : [size, ...stored],
    async *data() {
      const count = rows * columns;
      const into = new Float32Array(size * matrix[0] * columns);
      for (const row of weightRows) {
        const values = await valuesOf(row.parameter);
        for (let expert = 0; expert < size; expert++) {
          const from = values.subarray((i * size + expert) * count, (i * size + expert + 1) * count);
          placeExpert(row, rows, columns, from, into.subarray(expert * matrix[0] * columns));
        }
      }
      yield formats[type].encode!(into);
    },
  }));
}

/** Puts an expert's matrix (rows, columns) where its tensor has it, by turns with others of its rows' number. */
function placeExpert(
  { hfTurns: { of, first } = { of: 1, first: 0 }, hfTransposed }: WeightRow,
  rows: number,
  columns: number,
  from: Float32Array,
  into: Float32Array,
): void {
  for (let row = 0; row < rows; row++) {
    const below = row * of + first;
    for (let column = 0; column < columns; column++) {
      into[hfTransposed === true ? column * rows * of + below : below * columns + column] =
        from[row * columns + column];
    }
  }
}

/** Puts a parameter's values where its tensor has them. */
function place(weightRow: WeightRow, from: Float32Array, into: Float32Array): void {
  const { shape, hfTransposed, hfAddOne, hfHeads, hfTurns: { of, first } = { of: 1, first: 0 } } = weightRow;
  const [rows, columns = 1] = shape;
  if (hfHeads !== undefined) return placeHeads(hfHeads, rows, columns, from, into);
  const { count, rowAt } = fileRows(weightRow, "hf");
  const less = hfAddOne === true ? 1 : 0;
  for (let row = 0; row < rows; row++) {
    const below = rowAt(row);
    for (let column = 0; column < columns; column++) {
      const at = hfTransposed === true ? column * count + below : below * columns + column;
      into[at * of + first] = from[row * columns + column] - less;
    }
  }
}

/** The same of a parameter (rows, columns) whose tensor has rows of other parameters too. */
function placeHeads(
  { heads, of, first, transposed }: HeadRows,
  rows: number,
  columns: number,
  from: Float32Array,
  into: Float32Array,
): void {
  const ofHead = rows / heads;
  const width = transposed ? ofHead : columns;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [head, inHead] = [Math.floor(row / ofHead), row % ofHead];
      const [below, beside] = transposed ? [column, inHead] : [inHead, column];
      into[(head * of + first + below) * width + beside] = from[row * columns + column];
    }
  }
}

/** A parameter's values: of the states where it is trained, else decoded from `store`. */
export async function currentValues(states: States, store: ParameterStore, parameter: string): Promise<Float32Array> {
  const trained = states[weightState(parameter)];
  if (trained !== undefined) return trained;
  const { rows, columns } = store.parameters.get(parameter)!;
  const values = new Float32Array(rows * columns);
  for await (const piece of pieces(store, parameter)) values.set(piece.values(), piece.firstRow * columns);
  return values;
}

/** Decodes the weights that `states` has, out of a store in any number formats. */
export async function readWeights(store: ParameterStore, states: States, signal?: AbortSignal): Promise<void> {
  for (const { name, columns } of store.parameters.values()) {
    const state = states[weightState(name)];
    if (state === undefined) continue; // frozen: executors read it themselves
    for await (const piece of pieces(store, name)) {
      signal?.throwIfAborted();
      state.set(piece.values(), piece.firstRow * columns);
    }
  }
}

/** A store whose trained weights are what the states are when they are read, and the frozen ones those of `base`. */
export function liveStore(
  { parameters }: Pick<Model, "parameters">,
  states: States,
  base: ParameterStore,
): ParameterStore {
  const stored = new Map<string, StoredParameter>();
  for (const [name, { rows, columns }] of parameters) {
    const values = states[weightState(name)];
    const frozen = base.parameters.get(name);
    if (values !== undefined) stored.set(name, { name, rows, columns, format: "f32", byteLength: values.byteLength });
    else if (frozen !== undefined) stored.set(name, frozen);
  }
  return {
    parameters: stored,
    async readRows(name, firstRow, into) {
      const values = states[weightState(name)];
      if (values === undefined) return await base.readRows(name, firstRow, into);
      const rowBytes = values.byteLength / parameters.get(name)!.rows;
      into.set(new Uint8Array(values.buffer, values.byteOffset + firstRow * rowBytes, into.byteLength));
    },
  };
}
