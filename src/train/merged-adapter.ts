// Projections' weights with an adapter folded in: the same function without an adapter.
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import { type LoraScaling, loraScale } from "../nn/index.ts";
import { bytesForRow, formats } from "../numeric/registry.ts";

/** One projection's adapter: A (R, K), B (M, R) and for DoRA magnitudes (M). */
export interface ProjectionAdapter {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly magnitude?: Float32Array | undefined;
}

/** One that says what its scale is; `turn`: m / |V| of each row (M), where that is known instead of magnitudes. */
export interface ScaledAdapter extends ProjectionAdapter {
  readonly scaling: LoraScaling;
  readonly turn?: Float32Array | undefined;
}

/** V = W + s B A, or m V / |V| with |V| the length of each row, of W (M, K) or some of its rows: (M, K), sums in f64. */
export function mergedWeight(
  { weight, a, b, magnitude }: ProjectionAdapter & { readonly weight: Float32Array },
  settings: LoraScaling,
): Float32Array {
  const { rank } = settings;
  const [rows, columns, s] = [b.length / rank, a.length / rank, loraScale(settings)];
  const merged = new Float32Array(rows * columns);
  const row = new Float64Array(columns);
  for (let m = 0; m < rows; m++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = b[m * rank + r];
      for (let k = 0; k < columns; k++) row[k] += factor * a[r * columns + k];
    }
    for (let k = 0; k < columns; k++) row[k] = weight[m * columns + k] + s * row[k];
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    const by = magnitude === undefined ? 1 : magnitude[m] / length;
    for (let k = 0; k < columns; k++) merged[m * columns + k] = row[k] * by;
  }
  return merged;
}

const FLOAT_BYTES = 4;

/** A store that has `base`'s weights, those of `projections` as f32 with their adapters folded in when they are read. */
export function mergedStore(base: ParameterStore, projections: ReadonlyMap<string, ScaledAdapter>): ParameterStore {
  const adapters = new Map([...projections].map(([name, adapter]) => [`${name}.weight`, adapter]));
  const parameters = new Map<string, StoredParameter>(base.parameters);
  for (const name of adapters.keys()) {
    const { rows, columns } = base.parameters.get(name)!;
    parameters.set(name, { name, rows, columns, format: "f32", byteLength: rows * columns * FLOAT_BYTES });
  }
  return {
    parameters,
    async readRows(name, firstRow, into) {
      const adapter = adapters.get(name);
      if (adapter === undefined) return await base.readRows(name, firstRow, into);
      const { columns, format } = base.parameters.get(name)!;
      const rows = into.byteLength / (columns * FLOAT_BYTES);
      const bytes = new Uint8Array(rows * bytesForRow(format, columns));
      await base.readRows(name, firstRow, bytes);
      const ofRows = (values: Float32Array, size: number) => values.subarray(firstRow * size, (firstRow + rows) * size);
      const merged = mergedWeight(
        {
          weight: formats[format].decode(bytes, rows * columns),
          a: adapter.a,
          b: ofRows(adapter.b, adapter.scaling.rank),
          magnitude: adapter.magnitude && ofRows(adapter.magnitude, 1),
        },
        adapter.scaling,
      );
      if (adapter.turn !== undefined) {
        for (let i = 0; i < merged.length; i++) merged[i] *= adapter.turn[firstRow + Math.floor(i / columns)];
      }
      into.set(new Uint8Array(merged.buffer));
    },
  };
}
