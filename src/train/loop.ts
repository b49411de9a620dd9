// The steps of a run: accumulate, judge, clip, apply; measure, sample and save every so often. Everything random and the
// place in the data are pure functions of the step, so what a run needs to go on is its states and its `Position`.
// Not here: files (checkpoint.ts, store/runs.ts), what is shown of it (cli/).
import { sum } from "../base/collections.ts";
import { LiangError, isAbort } from "../base/errors.ts";
import {
  type GuardSettings,
  type GuardState,
  afterApplied,
  afterLeftOut,
  newGuard,
  reasonToLeaveOut,
} from "./guard.ts";
import type { RunLine, Validation } from "../store/run-lines.ts";
import { type Schedule, rateAt } from "./schedule.ts";
import type { MicroBatch, MicroBatches } from "./micro-batch.ts";
import type { Accumulated, Trainer } from "./trainer.ts";
import type { CurrentModel, TrainingData } from "./training-data.ts";

/** Where a run stands, besides its states. */
export interface Position {
  /** Steps taken, those that were left out included: the data goes on with them. */
  readonly step: number;
  /** Changes of the weights, which optimizers count. */
  readonly updates: number;
  readonly guard: GuardState;
}

export const START: Position = { step: 0, updates: 0, guard: newGuard };

export type RunEvent = RunLine;

export interface LoopOptions {
  readonly trainer: Pick<Trainer, "accumulate" | "apply" | "discard" | "look" | "updates"> & CurrentModel;
  readonly data: TrainingData;
  readonly schedule: Schedule;
  /** Longest gradient; 0: any. */
  readonly clip: number;
  readonly guard: GuardSettings;
  /** Every so many steps and at the end; 0: never. */
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly samplesEvery: number;
  readonly probesEvery?: number;
  readonly onEvent: (event: RunEvent) => void;
  readonly save: (position: Position) => Promise<void>;
  readonly sample?: (position: Position) => Promise<void>;
  readonly probe?: (position: Position) => Promise<void>;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Runs the steps from `from` on, and saves at the end. When it is aborted it saves where it stands, and rejects with the
 * AbortError. Throws LiangError "unstable" when the guard's patience ends; what was saved before stays.
 */
export async function runLoop(options: LoopOptions, from: Position = START): Promise<Position> {
  const { schedule, signal, onEvent } = options;
  const { steps } = schedule;
  const isDue = (every: number, { step }: Position): boolean => every > 0 && (step === steps || step % every === 0);
  let position = from;
  options.trainer.updates = from.updates;
  let saved = from.step;
  try {
    while (position.step < steps) {
      signal?.throwIfAborted();
      position = await takeStep(options, position);
      if (isDue(options.validateEvery, position)) {
        onEvent({ type: "validation", step: position.step, ...(await validate(options)) });
      }
      if (isDue(options.probesEvery ?? 0, position)) await options.probe?.(position);
      if (isDue(options.samplesEvery, position)) await options.sample?.(position);
      if (position.step === steps || isDue(options.checkpointEvery, position)) {
        await options.save(position);
        saved = position.step;
      }
    }
  } catch (error) {
    if (!isAbort(error)) throw error;
    options.trainer.discard(); // of a step that was cut short
    if (position.step > saved) await options.save(position);
    throw error;
  }
  return position;
}

async function takeStep(options: LoopOptions, { step, guard: before }: Position): Promise<Position> {
  const { trainer, data, schedule, clip, signal, now, onEvent } = options;
  const startMs = now();
  const rate = rateAt(schedule, step);
  let guard = before;
  let tokens = 0;
  let nothing: Pick<Accumulated, "loss" | "norm"> = { loss: NaN, norm: 0 };
  const applied: Accumulated[] = [];
  const at = (): Position => ({ step: step + 1, updates: trainer.updates, guard });
  const leaveOut = ({ loss, norm }: typeof nothing, reason: string): void =>
    onEvent({ type: "left-out", step: step + 1, loss: orText(loss), norm: orText(norm), reason });
  for await (const ofUpdate of data.updates(step, trainer)) {
    const batches = each(ofUpdate, ({ ids }) => (tokens += ids.length));
    // what is saved stands between steps, so a step that has changed the weights is taken to its end
    const found = await trainer.accumulate(batches, applied.length === 0 ? signal : undefined);
    if (found.weight === 0) {
      nothing = found;
      continue;
    }
    const reason = reasonToLeaveOut(guard, found, options.guard);
    if (reason !== undefined) {
      trainer.discard();
      guard = afterLeftOut(guard);
      const which = applied.length === 0 ? "" : `, in update ${applied.length + 1} of the step`;
      leaveOut(found, reason + which);
      if (guard.leftOutInARow >= options.guard.patience) throw unstable(step + 1, guard, reason);
      return at();
    }
    await trainer.apply(rate, clip > 0 && found.norm > clip ? clip / found.norm : 1);
    guard = afterApplied(guard, found.loss);
    applied.push(found);
  }
  if (applied.length === 0) {
    // no fault of the model's, so nobody loses patience
    leaveOut(nothing, "there is nothing to learn in it");
    guard = { ...guard, leftOut: guard.leftOut + 1 };
    return at();
  }
  const { loss, norm, measures: found } = meanOf(applied);
  const measures = { ...found, ...data.measures?.() };
  const event = { type: "step", step: step + 1, loss, norm, rate, tokens, ms: now() - startMs } as const;
  onEvent(Object.keys(measures).length === 0 ? event : { ...event, measures });
  return at();
}

/** Over a step's updates, one at least. */
function meanOf(updates: readonly Accumulated[]): Pick<Accumulated, "loss" | "norm" | "measures"> {
  const mean = (value: (found: Accumulated) => number): number => sum(updates.map(value)) / updates.length;
  const names = Object.keys(updates[0].measures);
  return {
    loss: mean(({ loss }) => loss),
    norm: mean(({ norm }) => norm),
    measures: Object.fromEntries(names.map((name) => [name, mean(({ measures }) => measures[name])])),
  };
}

async function* each(batches: MicroBatches, see: (batch: MicroBatch) => unknown): AsyncGenerator<MicroBatch> {
  for await (const batch of batches) {
    see(batch);
    yield batch;
  }
}

/** JSON has no NaN. */
const orText = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

const unstable = (step: number, { leftOutInARow }: GuardState, reason: string): LiangError =>
  new LiangError(
    "unstable",
    `${leftOutInARow} steps in a row were left out, the last one, ${step}, because ${reason}.`,
    {
      hint: "Lower the learning rates or warm up longer, then go on from the last checkpoint or begin anew.",
    },
  );

/** Throws AbortError. */
export async function validate({
  trainer,
  data,
  signal,
}: Pick<LoopOptions, "trainer" | "data" | "signal">): Promise<Validation> {
  if (data.judged !== undefined) return await data.judged(trainer);
  const sums = new Map<string, number>();
  let weight = 0;
  for await (const batch of data.validation(trainer)) {
    const found = await trainer.look(batch, signal);
    for (const [name, values] of Object.entries(found)) {
      const sum = batch.weights.reduce((total, its, i) => total + its * values[i], 0);
      sums.set(name, (sums.get(name) ?? 0) + sum);
    }
    weight += batch.weights.reduce((a, b) => a + b, 0);
  }
  const { losses: loss, ...measures } = Object.fromEntries([...sums].map(([name, sum]) => [name, sum / weight]));
  if (!data.inNats) return { elements: weight, loss, measures };
  const bytes = data.validationBytes;
  return {
    tokens: weight,
    nats_per_token: loss,
    perplexity: Math.exp(loss),
    ...(bytes !== undefined && { bits_per_byte: (weight * loss) / Math.LN2 / bytes }),
  };
}
