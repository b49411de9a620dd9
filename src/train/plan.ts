// What a run would take, before it takes it: weights, operations, memory, and by a look at this machine, minutes.
import { machineFacts, now } from "#platform";
import { sum } from "../base/collections.ts";
import { MemoryError, UsageError } from "../base/errors.ts";
import { tierInUse } from "../device/cpu/tiers.ts";
import type { Executor, MemoryUse } from "../device/executor.ts";
import { measurePeaks } from "../eval/machine-speed.ts";
import type { Model } from "../models/index.ts";
import type { AdapterPlan } from "./adapter.ts";
import { initialStates } from "./initial-states.ts";
import type { MicroBatch } from "./micro-batch.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { trainingPrograms } from "./programs.ts";
import { Trainer } from "./trainer.ts";

export interface RunSize {
  /** Weights of the model; a table that is also the head counts once. */
  readonly parameters: number;
  /** Of these, or of the adapter beside them. */
  readonly trained: number;
  /**
   * Of a training step's products, a token: 6 for each weight in a product that is trained, 4 for each that is not, and
   * attention over whole windows.
   */
  readonly flopsPerToken: number;
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly flops: number;
}

export interface MemoryPlan extends MemoryUse {
  /** With those of models that stay open beside. */
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export function sizeOfRun({ start: { model }, recipe, schedule, trainer, adapter }: PreparedRun): RunSize {
  const all = [...model.parameters].map(([name, { rows, columns }]) => ({ name, count: rows * columns }));
  const parameters = sum(all.map(({ count }) => count));
  const isTrained = (name: string): boolean => trainer.optimizerOf(name, []) !== undefined;
  const adapted = adapter === undefined ? 0 : adapterSize(model, adapter);
  const flopsPerToken = flopsOf(model, recipe.batch.window, isTrained) + 6 * adapted;
  const { tokens } = recipe.batch;
  return {
    parameters,
    trained: sum(all.filter(({ name }) => isTrained(name)).map(({ count }) => count)) + adapted,
    flopsPerToken,
    steps: schedule.steps,
    tokensPerStep: tokens,
    flops: flopsPerToken * schedule.steps * tokens,
  };
}

/** Weights of an adapter. */
const adapterSize = (
  { parameters }: Model,
  { settings: { rank, magnitude = false }, projections }: AdapterPlan,
): number =>
  sum(
    projections.map((name) => {
      const { rows, columns } = parameters.get(`${name}.weight`)!;
      return rank * (rows + columns) + (magnitude ? rows : 0);
    }),
  );

/**
 * Operations of training a token in a document of `tokens`: a product and its two gradients are 6 for each weight (Kaplan
 * et al. 2020), and 4 where the weight itself has none; scores and sums of values are 4 for each key and query column, half of the keys seen, three times over.
 */
function flopsOf({ parameters, layers }: Model, tokens: number, isTrained: (name: string) => boolean): number {
  const isTied = !parameters.has("head.weight");
  const inProducts = [...parameters].filter(
    ([name, { vector }]) => !vector && name !== "positions.weight" && (name !== "embedding.weight" || isTied),
  );
  const flops = sum(inProducts.map(([name, { rows, columns }]) => (isTrained(name) ? 6 : 4) * rows * columns));
  const width = parameters.get("layers.0.attention.query.weight")?.rows ?? 0;
  return flops + 3 * 4 * layers * width * ((tokens + 1) / 2);
}

/** Counts, and allocates nothing. Throws MemoryError where the run does not fit. */
export async function planMemory(
  { start, store, trainer, recipe, besideBytes }: PreparedRun,
  executor: Executor,
): Promise<MemoryPlan> {
  const { threads, precision } = trainer;
  const { graphs } = trainingPrograms(start.model, trainer);
  const use = await executor.plan(store, { ...graphs }, { ...(threads !== undefined && { threads }), precision });
  const { memoryAvailableBytes: availableBytes } = await machineFacts();
  const totalBytes = besideBytes + use.weightBytes + use.stateBytes + use.arenaBytes + use.runtimeBytes;
  if (totalBytes > availableBytes || use.headroomBytes < 0) {
    throw new MemoryError("The run", totalBytes, Math.min(availableBytes, totalBytes + use.headroomBytes), {
      hint: `Take a smaller batch.rows than ${recipe.batch.rows}, or a smaller model.`,
    });
  }
  return { ...use, totalBytes, availableBytes };
}

export interface SpeedProbe {
  readonly tokensPerSecond: number;
  /** Of the whole run, validation included. */
  readonly milliseconds: number;
}

/** Runs micro-batches of the run for about `forMs`, changes nothing that lasts. */
export async function probeSpeed(
  prepared: PreparedRun,
  executor: Executor,
  { forMs = 3000, signal }: { readonly forMs?: number; readonly signal?: AbortSignal } = {},
): Promise<SpeedProbe> {
  const { start, store, data, schedule } = prepared;
  await using trainer = await Trainer.open(start.model, store, executor, prepared.trainer);
  await initialStates(prepared, trainer.states, signal);
  const batches: MicroBatch[] = [];
  let updates = 0;
  const madeMs = now();
  for await (const ofUpdate of data.updates(0, trainer)) {
    updates++;
    for await (const batch of ofUpdate) batches.push(batch);
  }
  const makeMs = now() - madeMs; // replies are drawn meanwhile, where a stage learns from them
  if (batches.length === 0) {
    throw new UsageError("The first step teaches nothing, so how long it takes is not measured.", {
      hint: "Where rewards say the same of every reply, only running tells.",
    });
  }
  let [tokens, batchMs, runs] = [0, 0, 0];
  const accumulate = async (): Promise<number> => {
    const startMs = now();
    await trainer.accumulate([batches[runs % batches.length]], signal);
    return now() - startMs;
  };
  await accumulate(); // code is compiled, pages are touched
  const update = async (): Promise<number> => {
    const startMs = now();
    await trainer.apply(0);
    return now() - startMs;
  };
  await update();
  const endMs = now() + forMs;
  do {
    tokens += batches[runs % batches.length].ids.length;
    batchMs += await accumulate();
    runs++;
    trainer.discard();
  } while (now() < endMs);
  await accumulate();
  const stepMs = makeMs + (batchMs / runs) * batches.length + updates * (await update());
  const tokensPerSecond = (1000 * (tokens / runs) * batches.length) / stepMs;
  const looksMs = await validationMs(prepared, trainer, batchMs / runs);
  return { tokensPerSecond, milliseconds: schedule.steps * stepMs + looksMs };
}

/** A look is a third of a step's work. */
async function validationMs(
  { data, recipe, schedule }: PreparedRun,
  trainer: Trainer,
  batchMs: number,
): Promise<number> {
  if (!data.hasValidation || recipe.validate.every === 0) return 0;
  let batches = 0;
  for await (const _ of data.validation(trainer)) batches++;
  return (Math.ceil(schedule.steps / recipe.validate.every) * batches * batchMs) / 3;
}

/** Operations a second that this machine does at most in the run's precision; undefined: the executor is no fast one. */
export async function machinePeak(
  executor: Executor,
  { trainer: { precision, threads } }: Pick<PreparedRun, "trainer">,
): Promise<number | undefined> {
  if (executor.name !== "cpu") return undefined;
  const { cores } = await machineFacts();
  const peaks = await measurePeaks(tierInUse(), threads ?? cores);
  return 1e9 * (precision === "fast" ? (peaks.bf16 ?? peaks.f32) : peaks.f32);
}
