// What a text excites in a model: for every projection, the sum of squares of each column of its input, over all tokens.
// Columns that are often large are where an error of a weight costs most. The forward is the one that training traces,
// rows alone without a cache; the sums are part of the program. Not here: what is made of them (quantize/).
import { UsageError } from "../base/errors.ts";
import type { OnProgress } from "../base/progress.ts";
import type { Executor, ParameterStore } from "../device/executor.ts";
import { type Graph, type Tensor, graph, multiply, sumRows } from "../graph/index.ts";
import { type Model, traceRows } from "../models/index.ts";
import { plainProjection } from "../nn/index.ts";
import { setRows } from "./row-inputs.ts";

/** Tokens of a piece of the text, which sees nothing of the piece before it. */
const ROWS = 512;

export interface ActivationSquares {
  readonly tokens: number;
  /** By the name of the projection's weight: one sum a column of it. */
  readonly sums: ReadonlyMap<string, Float64Array>;
}

export interface ActivationOptions {
  readonly threads?: number | undefined;
  /** Default 512, or the model's window. */
  readonly rows?: number;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `ids` through the model in pieces. Throws UsageError without ids, and what the store and the executor throw. */
export async function activationSquares(
  model: Model,
  store: ParameterStore,
  executor: Executor,
  ids: readonly number[],
  { threads, rows = Math.min(ROWS, model.window), onProgress, signal }: ActivationOptions = {},
): Promise<ActivationSquares> {
  if (ids.length === 0) throw new UsageError("The text has no tokens.", { hint: "Take a longer text." });
  const { squares, outputOf } = traceSquares(model, rows);
  await using opened = await executor.open(
    store,
    { squares },
    { ...(threads !== undefined && { threads }), ...(signal && { signal }), ...(onProgress && { onProgress }) },
  );
  const sums = new Map(
    [...outputOf.keys()].map((name) => [name, new Float64Array(store.parameters.get(name)!.columns)]),
  );
  const program = opened.programs.squares;
  for (let start = 0; start < ids.length; start += rows) {
    signal?.throwIfAborted();
    const part = ids.slice(start, start + rows);
    await program.run(setRows(model, program, [{ ids: part }]), signal);
    for (const [name, output] of outputOf) {
      const sum = sums.get(name)!;
      for (const [column, value] of program.outputs[output].entries()) sum[column] += value;
    }
    onProgress?.({ label: "importance", done: start + part.length, total: ids.length, unit: "tokens" });
  }
  return { tokens: ids.length, sums };
}

/** The program, and which of its outputs a weight's columns have: projections of one input share one. */
function traceSquares(model: Model, rows: number): { squares: Graph; outputOf: ReadonlyMap<string, string> } {
  const names = new Map<Tensor, string>();
  const outputOf = new Map<string, string>();
  traceRows(model, {
    rows,
    outputRows: 1,
    trains: () => false,
    adapter: () => (x, projected) => {
      const name = names.get(x) ?? `squares.${projected.name}`;
      names.set(x, name);
      outputOf.set(`${projected.name}.weight`, name);
      return plainProjection(x, projected);
    },
  });
  const outputs = [...names].map(([x, name]) => [name, sumRows(multiply(x, x))] as const);
  return { squares: graph(Object.fromEntries(outputs)), outputOf };
}
