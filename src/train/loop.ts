// The steps of a run: accumulate, judge, clip, apply; measure, sample and save every so often. Everything random and the
// place in the data are pure functions of the step, so what a run needs to go on is its states and its `Position`.
// Not here: files (checkpoint.ts, store/runs.ts), what is shown of it (cli/).
import { LiangError, isAbort } from "../base/errors.ts";
import {
  type GuardSettings,
  type GuardState,
  afterApplied,
  afterLeftOut,
  newGuard,
  reasonToLeaveOut,
} from "./guard.ts";
import { type Schedule, rateAt } from "./schedule.ts";
import type { Trainer } from "./trainer.ts";
import type { TrainingData } from "./training-data.ts";

/** Where a run stands, besides its states. */
export interface Position {
  /** Steps taken, those that were left out included: the data goes on with them. */
  readonly step: number;
  /** Changes of the weights, which optimizers count. */
  readonly updates: number;
  readonly guard: GuardState;
}

export const START: Position = { step: 0, updates: 0, guard: newGuard };

/** How well the held-out documents are predicted. */
export interface Validation {
  readonly tokens: number;
  readonly nats_per_token: number;
  readonly perplexity: number;
  readonly bits_per_byte?: number;
}

/** What happens in a run, in the form in which metrics.jsonl keeps it. `step`: how many there were by then. */
export type RunEvent =
  | {
      readonly type: "step";
      readonly step: number;
      /** Nats a target, before the step changed anything. */
      readonly loss: number;
      /** Length of the gradient before clipping. */
      readonly norm: number;
      /** Share of the peak learning rate. */
      readonly rate: number;
      /** Tokens read. */
      readonly tokens: number;
      readonly ms: number;
    }
  | {
      readonly type: "left-out";
      readonly step: number;
      /** As text where they are no number. */
      readonly loss: number | string;
      readonly norm: number | string;
      readonly reason: string;
    }
  | ({ readonly type: "validation"; readonly step: number } & Validation)
  | { readonly type: "sample"; readonly step: number; readonly prompt: string; readonly text: string }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export interface LoopOptions {
  readonly trainer: Pick<Trainer, "accumulate" | "apply" | "discard" | "losses" | "updates">;
  readonly data: TrainingData;
  readonly schedule: Schedule;
  /** Longest gradient; 0: any. */
  readonly clip: number;
  readonly guard: GuardSettings;
  /** Every so many steps and at the end; 0: never. */
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly samplesEvery: number;
  readonly onEvent: (event: RunEvent) => void;
  readonly save: (position: Position) => Promise<void>;
  readonly sample?: (position: Position) => Promise<void>;
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

async function takeStep(options: LoopOptions, { step, guard }: Position): Promise<Position> {
  const { trainer, data, schedule, clip, signal, now, onEvent } = options;
  const startMs = now();
  const batches = data.batches(step);
  const found = await trainer.accumulate(batches, signal);
  const { loss, norm } = found;
  const reason = reasonToLeaveOut(guard, found, options.guard);
  if (reason !== undefined) {
    trainer.discard();
    const left = afterLeftOut(guard);
    onEvent({ type: "left-out", step: step + 1, loss: orText(loss), norm: orText(norm), reason });
    if (left.leftOutInARow >= options.guard.patience) throw unstable(step + 1, left, reason);
    return { step: step + 1, updates: trainer.updates, guard: left };
  }
  const rate = rateAt(schedule, step);
  await trainer.apply(rate, clip > 0 && norm > clip ? clip / norm : 1);
  const tokens = batches.reduce((sum, { ids }) => sum + ids.length, 0);
  onEvent({ type: "step", step: step + 1, loss, norm, rate, tokens, ms: now() - startMs });
  return { step: step + 1, updates: trainer.updates, guard: afterApplied(guard, loss) };
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
  let nats = 0;
  let tokens = 0;
  for (const batch of data.validation()) {
    const losses = await trainer.losses(batch, signal);
    for (const [i, weight] of batch.weights.entries()) {
      nats += weight * losses[i];
      tokens += weight;
    }
  }
  const perToken = nats / tokens;
  return {
    tokens,
    nats_per_token: perToken,
    perplexity: Math.exp(perToken),
    ...(data.validationBytes !== undefined && { bits_per_byte: nats / Math.LN2 / data.validationBytes }),
  };
}
