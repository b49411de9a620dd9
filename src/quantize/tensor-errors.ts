// Holds every weight of a written file, read again from there, against the weights that it was made of: what the
// rounding cost each tensor, and whether it is that tensor at all.
import { sum } from "../base/collections.ts";
import { FormatError } from "../base/errors.ts";
import { counter } from "../convert/progress.ts";
import type { CompareWeights } from "../convert/check.ts";
import { pieces } from "../convert/values.ts";
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import type { Model } from "../models/index.ts";
import type { ErrorSums } from "./encode-worker.ts";
import { type EncodeThreads, inOrder } from "./encode-threads.ts";
import type { TensorError } from "./types.ts";
import { JOB_BYTES } from "./write-quantized.ts";

/** Of a tensor, or of all of them. */
export const relativeError = ({ errors, squares }: ErrorSums): number =>
  errors === 0 ? 0 : Math.sqrt(errors / squares);

export interface MeasuredErrors {
  /** For `checkWritten`; throws FormatError for a tensor that is nothing like the source's. */
  readonly compare: CompareWeights;
  /** What `compare` found, tensors by their names in GGUF. */
  readonly tensors: () => TensorError[];
  readonly total: () => number;
}

/** Zeros have an error of 1, other weights one above it: no rounding is so bad. */
const ERROR_MOST = 1;

export function measureErrors(model: Model, threads: EncodeThreads): MeasuredErrors {
  const found = new Map<string, { readonly tensor: TensorError; readonly sums: ErrorSums }>();
  const ggufNames = new Map(model.weightRows.map(({ parameter, gguf }) => [parameter, gguf]));

  const compare: CompareWeights = async (path, from, to, { onProgress, signal }) => {
    const parameters = [...to.parameters.values()];
    const total = parameters.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const count = counter({ label: "check", total, onProgress, signal });
    let weights = 0;
    for (const parameter of parameters) {
      const { name: own, format, rows, columns, byteLength } = parameter;
      const name = ggufNames.get(own) ?? own;
      const sums = await compareParameter(from, to, parameter, threads, count);
      const error = relativeError(sums);
      if (!(error < ERROR_MOST))
        throw new FormatError(path, `the error of ${name}`, error, "less than the weights' size");
      const before = found.get(name); // another part of a fused tensor
      const all = {
        errors: sums.errors + (before?.sums.errors ?? 0),
        squares: sums.squares + (before?.sums.squares ?? 0),
      };
      const tensor = {
        name,
        from: from.parameters.get(own)!.format,
        to: format,
        weights: rows * columns + (before?.tensor.weights ?? 0),
        bytes: byteLength + (before?.tensor.bytes ?? 0),
        error: relativeError(all),
      };
      found.set(name, { tensor, sums: all });
      weights += rows * columns;
    }
    return weights;
  };

  const sumOf = (field: keyof ErrorSums): number => sum([...found.values()].map(({ sums }) => sums[field]));
  return {
    compare,
    tensors: () => [...found.values()].map(({ tensor }) => tensor),
    total: () => relativeError({ errors: sumOf("errors"), squares: sumOf("squares") }),
  };
}

async function compareParameter(
  from: ParameterStore,
  to: ParameterStore,
  { name, format, columns, rows }: StoredParameter,
  threads: EncodeThreads,
  count: (bytes: number) => void,
): Promise<ErrorSums> {
  const sums = { errors: 0, squares: 0 };
  const before = from.parameters.get(name)!.format;
  const written = pieces(to, name, JOB_BYTES);
  const rowBytes = from.parameters.get(name)!.byteLength / rows;
  const jobs = inOrder(pieces(from, name, JOB_BYTES), threads.jobsAtOnce, async ({ bytes }) => {
    const again = (await written.next()).value as { readonly bytes: Uint8Array<ArrayBuffer> };
    const answer = await threads.run({
      kind: "compare",
      rows: { bytes, format: before },
      written: { bytes: again.bytes, format },
      count: (bytes.byteLength / rowBytes) * columns,
    });
    count(again.bytes.byteLength);
    return answer;
  });
  for await (const { errors, squares } of jobs) {
    sums.errors += errors;
    sums.squares += squares;
  }
  return sums;
}
