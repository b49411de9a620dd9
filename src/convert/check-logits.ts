// Compares what two readings of one model predict: the logits of some ids under both configs, over the written weights. The
// plain loops of the reference run them, a few rows of a weight in memory at a time, so that a model of any size passes.
import { FormatError } from "../base/errors.ts";
import type { ParameterStore } from "../device/executor.ts";
import { streamingExecutor } from "../device/reference/streamed-weights.ts";
import { openEncoder } from "../engine/encoder.ts";
import { openEngine } from "../engine/engine.ts";
import { type Model, writes } from "../models/index.ts";
import { counter } from "./progress.ts";
import type { ConvertOptions, LogitsCheck } from "./types.ts";

const IDS = 8;
/**
 * The weights are the same, so logits differ by what GGUF rounds to f32: epsilon, rope base, rope divisors. Measured
 * at most 1e-6 of the largest logit; a wrong setting moves them by whole percents.
 */
const TOLERANCE = 1e-5;

/** Throws FormatError, naming `path`, for logits that differ. `store`: the written weights, which both models run over. */
export async function compareLogits(
  path: string,
  from: Model,
  to: Model,
  store: ParameterStore,
  { onProgress, signal }: ConvertOptions,
): Promise<LogitsCheck> {
  const executor = streamingExecutor();
  const count = Math.min(IDS, to.window);
  // spread over the vocabulary by the golden ratio
  const ids = Int32Array.from({ length: count }, (_, i) => Math.floor((((i + 1) * 0.618034) % 1) * to.vocabularySize));
  const bytes = [...store.parameters.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const counted = counter({ label: "compare", total: 2 * bytes, onProgress, signal });
  const logitsOf = async (model: Model): Promise<Float32Array> => {
    const read = countedStore(store, counted);
    if (!writes(model)) {
      await using encoder = await openEncoder(model, read, executor, { signal });
      return (await encoder.run([{ ids, outputs: [...ids.keys()] }], signal))[0];
    }
    const layout = { window: Math.max(2, count), slots: 1, kvType: "f32" } as const;
    await using engine = await openEngine(model, read, executor, { ...layout, signal });
    const source = model.encoder === undefined ? undefined : ids;
    return await engine.logits(ids, { source, signal });
  };
  const expected = await logitsOf(from);
  const found = await logitsOf(to);
  const tolerance = TOLERANCE * expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let largestDifference = 0;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(found[i] - value);
    if (!(difference <= tolerance)) throw new FormatError(path, `logit ${i}`, found[i], `${value}, as it was`);
    largestDifference = Math.max(largestDifference, difference);
  }
  return { ids: count, largestDifference, tolerance };
}

/** Counts a weight's bytes when it is first read, whatever of it is: of tables and experts, not all rows are. */
function countedStore(store: ParameterStore, count: ReturnType<typeof counter>): ParameterStore {
  const read = new Set<string>();
  return {
    parameters: store.parameters,
    async readRows(name, firstRow, into) {
      await store.readRows(name, firstRow, into);
      if (!read.has(name)) count(store.parameters.get(name)!.byteLength);
      read.add(name);
    },
  };
}
