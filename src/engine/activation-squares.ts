// What a text excites in a model: for every projection, the sum of squares of each column of its input, over all tokens.
// Columns that are often large are where an error of a weight costs most. The forward is the one that training traces,
// rows alone without a cache; the sums are part of the program. Not here: what is made of them (quantize/).
import { sum } from "../base/collections.ts";
import { UsageError } from "../base/errors.ts";
import type { OnProgress } from "../base/progress.ts";
import type { Executor, ParameterStore } from "../device/executor.ts";
import { type Graph, type Tensor, graph, multiply, sumRows } from "../graph/index.ts";
import { type Model, traceRows } from "../models/index.ts";
import { plainProjection } from "../nn/index.ts";
import { setRows } from "./row-inputs.ts";

/** Tokens of a piece of a text, which sees nothing of the piece before it, and of a run. */
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

/** Runs texts through the model in pieces. Throws UsageError without ids, and what the store and the executor throw. */
export async function activationSquares(
  model: Model,
  store: ParameterStore,
  executor: Executor,
  texts: readonly (readonly number[])[],
  { threads, rows = Math.min(ROWS, model.window), onProgress, signal }: ActivationOptions = {},
): Promise<ActivationSquares> {
  const total = sum(texts.map((ids) => ids.length));
  if (total === 0) throw new UsageError("The text has no tokens.", { hint: "Take a longer text." });
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
  let done = 0;
  for (const pieces of runsOf(texts, rows)) {
    signal?.throwIfAborted();
    await program.run(setRows(model, program, pieces), signal);
    for (const [name, output] of outputOf) {
      const ofWeight = sums.get(name)!;
      for (const [column, value] of program.outputs[output].entries()) ofWeight[column] += value;
    }
    done += sum(pieces.map(({ ids }) => ids.length));
    onProgress?.({ label: "importance", done, total, unit: "tokens" });
  }
  return { tokens: total, sums };
}

/** Texts cut into pieces of at most `rows` tokens, as many pieces to a run as have room in it. */
function* runsOf(
  texts: readonly (readonly number[])[],
  rows: number,
): Generator<{ readonly ids: readonly number[] }[]> {
  let pieces: { readonly ids: readonly number[] }[] = [];
  let room = rows;
  for (const ids of texts) {
    for (let start = 0; start < ids.length; start += rows) {
      const piece = ids.slice(start, start + rows);
      if (piece.length > room) {
        yield pieces;
        [pieces, room] = [[], rows];
      }
      pieces.push({ ids: piece });
      room -= piece.length;
    }
  }
  if (pieces.length > 0) yield pieces;
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
