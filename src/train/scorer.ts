// A model that is only asked: what a reference model, a teacher or a reward model says of batches. Its weights are read
// as they are stored, so it may be opened before training and closed again when all has been asked.
import type { Executor, OpenModel, OpenOptions, ParameterStore } from "../device/executor.ts";
import { type Tensor, graph } from "../graph/index.ts";
import type { Model } from "../models/index.ts";
import { type MicroBatch, runBatch } from "./micro-batch.ts";
import type { ObjectiveInputs } from "./objectives/objective.ts";
import { rewardOf } from "./objectives/reward.ts";
import { type ObjectiveBounds, traceInputs } from "./traced-objective.ts";

/** What is asked: values of rows that reach the head, (M, K) each, by name. */
export type Question<N extends string> = (x: ObjectiveInputs) => Readonly<Record<N, Tensor>>;

/** Of each row's target. What preference and policy objectives take as `reference`. */
export const logProbabilities: Question<"logProbabilities"> = (x) => ({ logProbabilities: x.logProbabilities });
/** A reward model's number for each row, read by a head that the store has (heads.ts). */
export const rewards: Question<"rewards"> = (x) => ({ rewards: rewardOf(x) });
/** What `distill` takes as `teacher`. */
export const logits: Question<"logits"> = (x) => ({ logits: x.logits });

export interface ScorerOptions
  extends Pick<ObjectiveBounds, "rows" | "targets">, Pick<OpenOptions, "threads" | "precision" | "signal"> {}

export class Scorer<N extends string> implements AsyncDisposable {
  readonly #model: Model;
  readonly #opened: OpenModel<"ask">;
  readonly #columns: Readonly<Record<string, number>>;

  private constructor(model: Model, opened: OpenModel<"ask">, columns: Readonly<Record<string, number>>) {
    this.#model = model;
    this.#opened = opened;
    this.#columns = columns;
  }

  /** All weights come from `store`, a head of the question's own too. */
  static async open<N extends string>(
    model: Model,
    store: ParameterStore,
    executor: Executor,
    question: Question<N>,
    { rows, targets, ...options }: ScorerOptions,
  ): Promise<Scorer<N>> {
    const { x } = traceInputs(model, {}, { rows, targets }, { trains: () => false });
    const asked = question(x);
    const opened = await executor.open(store, { ask: graph(asked) }, options);
    const columns = Object.entries<Tensor>(asked).map(([name, { shape }]) => [name, shape[1] as number]);
    return new Scorer<N>(model, opened, Object.fromEntries(columns) as Record<string, number>);
  }

  /** (M, K) each, row-major, until the next batch. */
  async ask(batch: MicroBatch, signal?: AbortSignal): Promise<Readonly<Record<N, Float32Array>>> {
    const { ask } = this.#opened.programs;
    await runBatch(this.#model, ask, batch, signal);
    const found = Object.entries(this.#columns).map(([name, columns]) => {
      return [name, ask.outputs[name].subarray(0, batch.outputRows.length * columns)];
    });
    return Object.fromEntries(found) as Record<N, Float32Array>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.close();
  }
}
