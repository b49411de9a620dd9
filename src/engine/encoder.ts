// Opens a model to read texts, not to write them: rows of any number of sequences in one run, without a cache, and hidden
// values or what a head says of some rows of each. Runs encoders, and decoders that embed. Not here: texts, what is made of
// rows (src/chat).
import { ContextLengthError, UsageError } from "../base/errors.ts";
import type { Executor, MemoryUse, OpenModel, OpenOptions, OpenWeights, ParameterStore } from "../device/executor.ts";
import { graph } from "../graph/index.ts";
import { type HeadName, type Model, traceRows } from "../models/index.ts";
import { type RowSequence, rowsIn, setRows } from "./row-inputs.ts";

/** Rows of a run, where the window is not longer: more are no faster. */
const ROWS = 1024;
/** Of the values of a run that leave it: how many rows may, where a head gives many numbers. */
const OUTPUT_BYTES = 64 * 2 ** 20;

export interface EncoderOptions extends OpenOptions {
  /** What is asked of rows: their hidden values, or a head. Default "hidden". */
  readonly give?: HeadName | "hidden" | undefined;
  /** Tokens that a sequence may hold; default and most: the model's window. */
  readonly window?: number | undefined;
}

/** A model that reads. One owner; runs wait for each other. */
export interface Encoder extends AsyncDisposable {
  readonly window: number;
  readonly threads: number;
  readonly memory: MemoryUse;
  readonly weights: OpenWeights;
  /** Numbers of a row that it gives. */
  readonly columns: number;
  /**
   * (outputs, K) of each sequence, row-major. Throws ContextLengthError for a sequence that is longer than the window,
   * UsageError for one without ids or with one that is not in the vocabulary.
   */
  run(sequences: readonly RowSequence[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]>;
  close(): Promise<void>;
}

/** The program's graph and its bounds. */
export interface EncoderLayout {
  readonly window: number;
  readonly rows: number;
  readonly outputRows: number;
  readonly columns: number;
}

/** Throws UsageError for a window out of range, UnsupportedError where the model has no such head. */
export function traceEncoder(model: Model, { give = "hidden", window = model.window }: EncoderOptions) {
  if (!Number.isInteger(window) || window < 1 || window > model.window) {
    const expected = `a whole number from 1 to the model's ${model.window}`;
    throw new UsageError(`window is ${window}, expected ${expected}.`, { field: "window" });
  }
  const trace = (rows: number, outputRows: number) => {
    const traced = traceRows(model, { rows, outputRows, trains: () => false });
    return give === "hidden" ? traced.hidden : traced.head(give);
  };
  const rows = Math.max(window, ROWS);
  const columns = trace(1, 1).shape[1] as number;
  const outputRows = Math.min(rows, Math.max(1, Math.floor(OUTPUT_BYTES / (4 * columns))));
  const layout: EncoderLayout = { window, rows, outputRows, columns };
  return { layout, graphs: { encode: graph({ values: trace(rows, outputRows) }) } };
}

/** Loads the weights and compiles the program. Throws as `traceEncoder`, and what the store and the executor throw. */
export async function openEncoder(
  model: Model,
  store: ParameterStore,
  executor: Executor,
  options: EncoderOptions = {},
): Promise<Encoder> {
  const { give: _give, window: _window, ...wishes } = options;
  const { layout, graphs } = traceEncoder(model, options);
  return new RunningEncoder(model, layout, await executor.open(store, graphs, wishes));
}

class RunningEncoder implements Encoder {
  readonly window: number;
  readonly threads: number;
  readonly memory: MemoryUse;
  readonly weights: OpenWeights;
  readonly columns: number;
  readonly #model: Model;
  readonly #layout: EncoderLayout;
  readonly #opened: OpenModel<"encode">;
  /** Ends when all runs that were asked for have ended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(model: Model, layout: EncoderLayout, opened: OpenModel<"encode">) {
    this.window = layout.window;
    this.threads = opened.threads;
    this.memory = opened.memory;
    this.weights = opened.weights ?? { from: "packed" };
    this.columns = layout.columns;
    this.#model = model;
    this.#layout = layout;
    this.#opened = opened;
  }

  async run(sequences: readonly RowSequence[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    for (const sequence of sequences) this.#check(sequence);
    const results: Float32Array<ArrayBuffer>[] = [];
    for (const together of this.#runs(sequences)) {
      signal?.throwIfAborted();
      const turn = this.#last.then(() => this.#runOnce(together, signal));
      this.#last = turn.catch(() => undefined);
      results.push(...(await turn));
    }
    return results;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#opened.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #check(sequence: RowSequence): void {
    const { ids = [], outputs = [] } = sequence;
    const rows = rowsIn(this.#model, sequence);
    if (this.#model.imageFormat !== undefined && rows !== this.window) {
      throw new UsageError(`An image has ${rows} rows of patches, expected ${this.window}.`, { field: "input" });
    }
    if (rows === 0) throw new UsageError("A text without tokens cannot be read.", { field: "input" });
    if (rows > this.window) throw new ContextLengthError(rows, this.window);
    const most = this.#layout.outputRows;
    if (outputs.length > most) {
      throw new UsageError(`${outputs.length} rows of a sequence are asked for, expected ${most} at most.`);
    }
    for (let i = 0; i < ids.length; i++) {
      if (!Number.isInteger(ids[i]) || ids[i] < 0 || ids[i] >= this.#model.vocabularySize) {
        const expected = `a whole number from 0 to ${this.#model.vocabularySize - 1}`;
        throw new UsageError(`Token ${i} is ${ids[i]}, expected ${expected}.`, { field: "input" });
      }
    }
  }

  /** Cuts a list of sequences into runs, in its order. */
  *#runs(sequences: readonly RowSequence[]): Generator<readonly RowSequence[]> {
    let together: RowSequence[] = [];
    let [rows, outputs] = [0, 0];
    for (const sequence of sequences) {
      const more = outputsOf(sequence);
      const length = rowsIn(this.#model, sequence);
      const isFull = rows + length > this.#layout.rows || outputs + more > this.#layout.outputRows;
      if (isFull && together.length > 0) {
        yield together;
        [together, rows, outputs] = [[], 0, 0];
      }
      together.push(sequence);
      rows += length;
      outputs += more;
    }
    if (together.length > 0) yield together;
  }

  async #runOnce(sequences: readonly RowSequence[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    const { encode } = this.#opened.programs;
    await encode.run(setRows(this.#model, encode, sequences), signal);
    let first = 0;
    return sequences.map((sequence) => {
      const end = first + outputsOf(sequence) * this.columns;
      const values = encode.outputs.values.slice(first, end);
      first = end;
      return values;
    });
  }
}

const outputsOf = ({ outputs = [] }: RowSequence): number => outputs.length;
