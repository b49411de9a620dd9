// The GGUF file of a mix: which format each tensor gets, and its bytes, encoded on threads while others are read and
// written, so that memory holds a few pieces of one tensor at a time.
import type { ParameterStore } from "../device/executor.ts";
import { count } from "../convert/entries.ts";
import type { Source } from "../convert/source.ts";
import type { TensorPlan } from "../convert/tensor-plan.ts";
import { pieces, valuesAs } from "../convert/values.ts";
import { type TensorWriting, ggufTensors } from "../convert/write-gguf.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import { type EncodeThreads, inOrder } from "./encode-threads.ts";
import { type Chosen, type Mix, chooseFormat, layerOf } from "./mixes.ts";
import type { Importance } from "./types.ts";

/** f32 bytes of a job: small beside a tensor, so that threads end together, and large beside the way to them. */
export const JOB_BYTES = 2 ** 20;
/** llama.cpp's: files of K-quants as they have been since 2023. */
const QUANTIZATION_VERSION = 2;
/**
 * What a column counts at least, as a share of the mean: a text that never reached a column does not tell that no text
 * will.
 */
const IMPORTANCE_LEAST = 1e-4;

export interface QuantizedWriting extends TensorWriting {
  /** By the tensor's name: those whose rows are no whole blocks of what the mix asks for. */
  readonly instead: ReadonlyMap<string, Chosen>;
  /** Names of matrices that importances are missing for. */
  readonly unweighted: readonly string[];
}

/** How a mix writes the tensors of `source`. */
export function quantizedWriting(
  source: Source,
  mix: Mix,
  importance: Importance | undefined,
  threads: EncodeThreads,
): QuantizedWriting {
  const { model } = source;
  const rowsOf = (name: string): number | undefined => model.parameters.get(name)?.rows;
  const queries = rowsOf("layers.0.attention.query.weight") ?? 1;
  const headsPerKey = queries / (rowsOf("layers.0.attention.key.weight") ?? queries);
  const tied = !model.parameters.has("head.weight");
  const choose = (name: string, columns: number): Chosen => {
    const place = { layer: layerOf(name), layers: model.layers, headsPerKey, weighted: importance !== undefined };
    return chooseFormat(mix, name, columns, place, tied);
  };
  const formatOf = ({ name, source: { columns } }: TensorPlan): FormatName => choose(name, columns).format;
  const matrices = ggufTensors(source, { formatOf }).tensors.filter(({ plan }) => !plan.alwaysF32);
  const chosen = matrices.map(({ plan }) => [plan.name, choose(plan.name, plan.source.columns)] as const);
  return {
    formatOf,
    dataOf: (store, plan, format) => encodedRows(store, plan, format, importance?.get(plan.name), threads),
    entries: new Map([
      ["general.file_type", count(mix.fileType)],
      ["general.quantization_version", count(QUANTIZATION_VERSION)],
    ]),
    instead: new Map(chosen.filter(([, { instead }]) => instead !== undefined)),
    unweighted:
      importance === undefined
        ? []
        : matrices.map(({ plan }) => plan.name).filter((name) => !importance.has(name) && name.startsWith("blk.")),
  };
}

async function* encodedRows(
  store: ParameterStore,
  plan: TensorPlan,
  to: FormatName,
  given: Float32Array | undefined,
  threads: EncodeThreads,
): AsyncGenerator<Uint8Array> {
  const { name, change } = plan;
  const { format } = store.parameters.get(name)!;
  if (format === to || change !== undefined || plan.alwaysF32) {
    yield* valuesAs(store, plan, to);
    return;
  }
  const importance = given === undefined || formats[to].blockSize === 1 ? undefined : withFloor(given);
  const { blockSize, blockBytes } = formats[format];
  yield* inOrder(pieces(store, name, JOB_BYTES), threads.jobsAtOnce, async ({ bytes }) => {
    const weights = (bytes.byteLength / blockBytes) * blockSize;
    const rows = { bytes, format };
    return (await threads.run({ kind: "encode", name, rows, count: weights, to, importance })).bytes;
  });
}

function withFloor(importance: Float32Array): Float32Array {
  const mean = importance.reduce((sum, value) => sum + value, 0) / importance.length;
  const least = mean === 0 ? 1 : IMPORTANCE_LEAST * mean;
  return importance.map((value) => Math.max(value, least));
}
