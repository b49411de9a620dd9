// A model that learns: the programs of training over one set of states. A step is `accumulate`, which adds up the
// gradients of any number of micro-batches, and then `apply` or, where they are not to be trusted, `discard`.
// Not here: which data, which learning rate, when to stop (the loop), files (checkpoints).
import { UsageError } from "../base/errors.ts";
import type { Executor, InputArray, OpenModel, OpenOptions, ParameterStore, Program } from "../device/executor.ts";
import type { Model } from "../models/index.ts";
import { ropeRows } from "../nn/index.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { LOSS_STATE, type ProgramOptions, type TrainingGraphs, gradientState } from "./programs.ts";
import { scalarInput, trainingPrograms } from "./programs.ts";

/** Documents end to end. N tokens, of which M reach the head and have a target. */
export interface MicroBatch {
  /** (N) each. `starts`: the first row of the row's document. */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly starts: Int32Array;
  /** (M) each. */
  readonly outputRows: Int32Array;
  readonly targets: Int32Array;
  /** What each target's loss counts: 1, or 0 to 1 where some count less. */
  readonly weights: Float32Array;
}

/** What a step's micro-batches gave, before anything was changed. */
export interface Accumulated {
  /** Nats a target, by weight. */
  readonly loss: number;
  /** Sum of the weights. */
  readonly weight: number;
  /** Length of the gradient of that loss, before clipping. */
  readonly norm: number;
}

export interface TrainerOptions extends ProgramOptions, Pick<OpenOptions, "threads" | "precision" | "signal"> {}

type ProgramName = keyof TrainingGraphs;

export class Trainer implements AsyncDisposable {
  readonly model: Model;
  readonly #opened: OpenModel<ProgramName>;
  readonly #optimizers: readonly Optimizer[];
  #weight = 0;
  /** Updates made, which optimizers count from 1. */
  updates = 0;

  private constructor(model: Model, opened: OpenModel<ProgramName>, optimizers: readonly Optimizer[]) {
    this.model = model;
    this.#opened = opened;
    this.#optimizers = optimizers;
  }

  /** Weights that are trained are zero until they are set (`states`); frozen ones come from `store`. */
  static async open(
    model: Model,
    store: ParameterStore,
    executor: Executor,
    { threads, precision, signal, ...options }: TrainerOptions,
  ): Promise<Trainer> {
    const { graphs, optimizers } = trainingPrograms(model, options);
    const opened = await executor.open(store, graphs, {
      ...(threads !== undefined && { threads }),
      ...(precision !== undefined && { precision }),
      ...(signal !== undefined && { signal }),
    });
    return new Trainer(model, opened, optimizers);
  }

  /** Everything that lasts from step to step, by name: `weights.<parameter>`, `optimizer.<parameter>.<part>`, ... */
  get states(): Readonly<Record<string, Float32Array>> {
    return this.#opened.states;
  }

  /** Adds up the gradients of a step's micro-batches; none may be left from before. */
  async accumulate(batches: Iterable<MicroBatch>, signal?: AbortSignal): Promise<Accumulated> {
    if (this.#weight > 0) throw new UsageError("A step's gradients are there already. Apply or discard them first.");
    const { gradient, norm } = this.#opened.programs;
    for (const batch of batches) {
      await this.#run(gradient, batch, signal);
      this.#weight += batch.weights.reduce((a, b) => a + b, 0);
    }
    if (this.#weight === 0) throw new UsageError("The step's batches have no target that counts.");
    await norm.run({}, signal);
    const [weight, sum] = [this.#weight, this.states[LOSS_STATE][0]];
    return { loss: sum / weight, weight, norm: norm.outputs.norm[0] / weight };
  }

  /** Changes the weights by what was accumulated, times `clip`. */
  async apply(learningRate: number, clip = 1): Promise<void> {
    const { update } = this.#opened.programs;
    this.updates++;
    update.inputs.gradientScale[0] = clip / this.#weight;
    for (const [n, optimizer] of this.#optimizers.entries()) {
      for (const [name, value] of Object.entries(optimizer.scalars(this.updates, learningRate))) {
        update.inputs[scalarInput(n, name)][0] = value;
      }
    }
    await update.run({});
    this.#weight = 0;
  }

  /** Forgets what was accumulated. */
  discard(): void {
    for (const name of this.model.parameters.keys()) this.states[gradientState(name)]?.fill(0);
    this.states[LOSS_STATE].fill(0);
    this.#weight = 0;
  }

  /** Nats of each target of a batch, unweighted: (M), until the next run. */
  async losses(batch: MicroBatch, signal?: AbortSignal): Promise<Float32Array> {
    const { loss } = this.#opened.programs;
    await this.#run(loss, batch, signal);
    return loss.outputs.losses.subarray(0, batch.targets.length);
  }

  async #run(program: Program, batch: MicroBatch, signal: AbortSignal | undefined): Promise<void> {
    const inputs: Readonly<Record<string, InputArray | undefined>> = program.inputs;
    for (const [name, values] of Object.entries(batch)) inputs[name]?.set(values as Int32Array);
    for (const table of this.model.ropes) {
      const [cos, sin] = ["cos", "sin"].map((part) => inputs[`rope.${table.name}.${part}`]);
      if (cos instanceof Float32Array && sin instanceof Float32Array) ropeRows(table, batch.positions, cos, sin);
    }
    await program.run({ rows: batch.ids.length, outputRows: batch.targets.length }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.close();
  }
}
