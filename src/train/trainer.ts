// A model that learns: the programs of training over one set of states. A step is `accumulate`, which adds up the
// gradients of any number of micro-batches, and then `apply` or, where they are not to be trusted, `discard`.
// Not here: which data, which learning rate, when to stop (the loop), files (checkpoints).
import { UsageError } from "../base/errors.ts";
import type { Executor, OpenModel, OpenOptions, ParameterStore, Program } from "../device/executor.ts";
import type { Model } from "../models/index.ts";
import { type MicroBatch, type MicroBatches, runBatch } from "./micro-batch.ts";
import {
  LOSS_STATE,
  type ProgramOptions,
  type TrainingGraphs,
  type TrainingPrograms,
  isSum,
  measureState,
  scalarInput,
  trainingPrograms,
} from "./programs.ts";
import {
  type DrawnReply,
  type RolloutBounds,
  type RolloutPrompt,
  type RolloutSettings,
  Rollouts,
  rolloutLayout,
} from "./rollouts.ts";

export type { MicroBatch } from "./micro-batch.ts";

/** What a step's micro-batches gave, before anything was changed. */
export interface Accumulated {
  /** The mean by weight; of next tokens, nats a target. */
  readonly loss: number;
  /** Means of what else the objective measures, by name. */
  readonly measures: Readonly<Record<string, number>>;
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
  readonly #programs: TrainingPrograms;
  readonly #rollouts: Rollouts | undefined;
  #weight = 0;
  /** Updates made, which optimizers count from 1. */
  updates = 0;

  private constructor(
    model: Model,
    opened: OpenModel<ProgramName>,
    programs: TrainingPrograms,
    rollouts: RolloutBounds | undefined,
  ) {
    this.model = model;
    this.#opened = opened;
    this.#programs = programs;
    if (rollouts !== undefined) {
      this.#rollouts = new Rollouts(model, rolloutLayout(model, rollouts), opened.programs);
    }
  }

  /** Weights that are trained are zero until they are set (`states`); frozen ones come from `store`. */
  static async open(
    model: Model,
    store: ParameterStore,
    executor: Executor,
    { threads, precision, signal, ...options }: TrainerOptions,
  ): Promise<Trainer> {
    const programs = trainingPrograms(model, options);
    const graphs = programs.graphs as Required<TrainingGraphs>; // those of rollouts are not there unless they were asked for
    const opened = await executor.open(store, graphs, {
      ...(threads !== undefined && { threads }),
      ...(precision !== undefined && { precision }),
      ...(signal !== undefined && { signal }),
    });
    return new Trainer(model, opened, programs, options.rollouts);
  }

  /** Names of the weights that are trained, an adapter's and the objective's own among them, with their shapes. */
  get trained(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#programs.trained].map(([name, { shape }]) => [name, shape as readonly number[]]));
  }

  /** Everything that lasts from step to step, by name: `weights.<parameter>`, `optimizer.<parameter>.<part>`, ... */
  get states(): Readonly<Record<string, Float32Array>> {
    return this.#opened.states;
  }

  /** Adds up the gradients of a step's micro-batches; none may be left from before. Without any, `weight` is 0. */
  async accumulate(batches: MicroBatches, signal?: AbortSignal): Promise<Accumulated> {
    if (this.#weight > 0) throw new UsageError("A step's gradients are there already. Apply or discard them first.");
    const { gradient, norm } = this.#opened.programs;
    for await (const batch of batches) {
      await this.#run(gradient, batch, signal);
      this.#weight += batch.weights.reduce((a, b) => a + b, 0);
    }
    if (this.#weight === 0) return { loss: NaN, measures: {}, weight: 0, norm: 0 };
    await norm.run({}, signal);
    const weight = this.#weight;
    const meanOf = (state: string): number => this.states[state][0] / weight;
    const measures = this.#programs.measures.map((name) => [name, meanOf(measureState(name))] as const);
    return {
      loss: meanOf(LOSS_STATE),
      measures: Object.fromEntries(measures),
      weight,
      norm: norm.outputs.norm[0] / weight,
    };
  }

  /** Changes the weights by what was accumulated, times `clip`. */
  async apply(learningRate: number, clip = 1): Promise<void> {
    const { update } = this.#opened.programs;
    this.updates++;
    update.inputs.gradientScale[0] = clip / this.#weight;
    for (const [n, optimizer] of this.#programs.optimizers.entries()) {
      for (const [name, value] of Object.entries(optimizer.scalars(this.updates, learningRate))) {
        update.inputs[scalarInput(n, name)][0] = value;
      }
    }
    await update.run({});
    this.#weight = 0;
  }

  /** Forgets what was accumulated. */
  discard(): void {
    for (const [name, values] of Object.entries(this.states)) if (isSum(name)) values.fill(0);
    this.#weight = 0;
  }

  /** The loss of each element of a batch, unweighted; of next tokens, nats of each target. (E), until the next run. */
  async losses(batch: MicroBatch, signal?: AbortSignal): Promise<Float32Array> {
    return (await this.look(batch, signal)).losses;
  }

  /** `losses`, and by their names what else the objective measures of each element. (E) each, until the next run. */
  async look(
    batch: MicroBatch,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, Float32Array>> & { readonly losses: Float32Array }> {
    const { loss } = this.#opened.programs;
    await this.#run(loss, batch, signal);
    const of = (name: string): Float32Array => loss.outputs[name].subarray(0, batch.weights.length);
    return { ...Object.fromEntries(this.#programs.measures.map((name) => [name, of(name)])), losses: of("losses") };
  }

  /** What `rows` tells, by name. */
  get rowNames(): readonly string[] {
    return this.#programs.rows;
  }

  /**
   * What the objective says of each row that reaches the head, by name, with the weights as they are: log-probabilities,
   * values. (M) each, until the next run. The batch needs none of the objective's inputs but `targets`.
   */
  async rows(batch: MicroBatch, signal?: AbortSignal): Promise<Readonly<Record<string, Float32Array>>> {
    const { loss } = this.#opened.programs;
    await runBatch(this.model, loss, batch, signal, "zeros");
    const found = this.#programs.rows.map((name) => [name, loss.outputs[name].subarray(0, batch.outputRows.length)]);
    return Object.fromEntries(found) as Record<string, Float32Array>;
  }

  /** Draws a reply to each prompt from the model as it is. Throws UsageError where `rollouts` was not given, AbortError. */
  async draw(prompts: readonly RolloutPrompt[], settings: RolloutSettings): Promise<DrawnReply[]> {
    if (this.#rollouts === undefined) throw new UsageError("The trainer was opened without rollouts.");
    return await this.#rollouts.draw(prompts, settings);
  }

  async #run(program: Program, batch: MicroBatch, signal: AbortSignal | undefined): Promise<void> {
    const { elements = batch.weights.length } = this.#programs.objective;
    if (batch.weights.length !== elements) {
      throw new UsageError(`The batch has ${batch.weights.length} elements of the loss, expected ${elements}.`, {
        field: "weights",
      });
    }
    await runBatch(this.model, program, batch, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.close();
  }
}
