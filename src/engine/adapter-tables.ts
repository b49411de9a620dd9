// The values of an adapter's files, by projection of the model they are for. Not here: which tensors are whose
// (models/adapter.ts), where a running model has them (adapters.ts).
import { readAdapter } from "../models/adapter.ts";
import type { AdaptedProjection } from "../models/adapter.ts";
import type { Model } from "../models/model.ts";
import { bytesForRow, formats } from "../numeric/registry.ts";
import type { ParameterStore } from "../device/executor.ts";
import type { Files } from "./file-store.ts";

/** One projection's part. */
export interface ProjectionTables {
  readonly rank: number;
  readonly inner: number;
  readonly outer: number;
  /** A (R, K). */
  readonly a: Float32Array;
  /** s B (M, R). */
  readonly b: Float32Array;
  /** m / |W + s B A|, the length of each row (M): DoRA. */
  readonly turn?: Float32Array;
}

/** An adapter that was read. */
export interface AdapterTables {
  /** Shown in errors. */
  readonly file: string;
  readonly projections: ReadonlyMap<string, ProjectionTables>;
}

/** Bytes of a weight that are read at once. */
const BLOCK_BYTES = 1 << 20;

/**
 * Reads the adapter in `files` for `model`; `store` holds the model's weights, of which only DoRA reads any: all that it
 * changes, once. Throws as `readAdapter` does.
 */
export async function readAdapterTables(
  files: Files,
  model: Model,
  store: ParameterStore,
  signal?: AbortSignal,
): Promise<AdapterTables> {
  const projections = new Map<string, ProjectionTables>();
  for (const [name, adapted] of readAdapter(files, model)) {
    signal?.throwIfAborted();
    const { rank, inner, outer, scale, rowAt } = adapted;
    const a = await valuesOf(files, adapted.a);
    const stored = await valuesOf(files, adapted.b);
    const b = Float32Array.from({ length: outer * rank }, (_, i) => {
      return scale * stored[rowAt(Math.floor(i / rank)) * rank + (i % rank)];
    });
    const tables = { rank, inner, outer, a, b };
    const turn = adapted.magnitude === undefined ? undefined : await turnOf(files, name, adapted, tables, store);
    projections.set(name, { ...tables, ...(turn !== undefined && { turn }) });
  }
  return { file: files.file, projections };
}

async function valuesOf(files: Files, tensor: string): Promise<Float32Array> {
  const { shape, format } = files.tensors.get(tensor)!;
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(bytesForRow(format, count));
  await files.read(tensor, 0, bytes);
  return formats[format].decode(bytes, count);
}

/** m / |V| of each row, V = W + s B A; sums in f64. */
async function turnOf(
  files: Files,
  projection: string,
  { magnitude, rowAt }: AdaptedProjection,
  { rank, inner, outer, a, b }: ProjectionTables,
  store: ParameterStore,
): Promise<Float32Array> {
  const magnitudes = await valuesOf(files, magnitude!);
  const name = `${projection}.weight`;
  const { format } = store.parameters.get(name)!;
  const rowBytes = bytesForRow(format, inner);
  const turn = new Float32Array(outer);
  const v = new Float64Array(inner);
  const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes));
  for (let first = 0; first < outer; first += atOnce) {
    const rows = Math.min(atOnce, outer - first);
    const bytes = new Uint8Array(rows * rowBytes);
    await store.readRows(name, first, bytes);
    for (let row = 0; row < rows; row++) {
      v.set(formats[format].decode(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), inner));
      const m = first + row;
      for (let r = 0; r < rank; r++) {
        const factor = b[m * rank + r];
        for (let k = 0; k < inner; k++) v[k] += factor * a[r * inner + k];
      }
      let squares = 0;
      for (let k = 0; k < inner; k++) squares += v[k] * v[k];
      turn[m] = magnitudes[rowAt(m)] / Math.sqrt(squares);
    }
  }
  return turn;
}
