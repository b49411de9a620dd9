// One execution of a recipe: opens the trainer, begins or goes on, and lets the loop run. Not here: the run's folder and
// what is shown of it (cli/train.ts).
import { now } from "#platform";
import { UsageError } from "../base/errors.ts";
import type { Executor } from "../device/executor.ts";
import { checkSameRun, listCheckpoints, readStates, readTrainState, removeOld, saveCheckpoint } from "./checkpoint.ts";
import { initialStates } from "./initial-states.ts";
import { type Position, type RunEvent, START, runLoop } from "./loop.ts";
import { startCopySearch } from "./measures/copy-search.ts";
import { openProbes } from "./measures/open-probes.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { takeSamples } from "./samples.ts";
import { Trainer } from "./trainer.ts";
import { trainedFiles } from "./trained-files.ts";

export interface RunOptions {
  readonly executor: Executor;
  /** The folder of its checkpoints. */
  readonly checkpoints: string;
  /** Go on from the newest checkpoint; where there is none yet, from the beginning. */
  readonly resume?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
  /** Told once, before the first step, where the run begins. */
  readonly onStart?: (position: Position) => Promise<void>;
  /** What a person should know, a sentence. */
  readonly onNote?: (note: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly position: Position;
  /** The newest checkpoint. */
  readonly checkpoint: string;
}

/** Throws what the loop throws, and UsageError where checkpoints are there and `resume` was not asked for. */
export async function train(prepared: PreparedRun, options: RunOptions): Promise<RunResult> {
  const { recipe, start, store, data, schedule } = prepared;
  const { executor, checkpoints, onEvent = () => undefined, signal } = options;
  const existing = await listCheckpoints(checkpoints);
  if (existing.length > 0 && options.resume !== true) {
    throw new UsageError(`${checkpoints} has checkpoints of an earlier run.`, {
      hint: "Go on with --resume, or take another --name.",
    });
  }
  const { samples: asked } = recipe;
  const isSearched = asked.every > 0 && asked.copied;
  await using copies = isSearched ? await startCopySearch(recipe.data, options.onNote ?? (() => undefined)) : undefined;
  await using trainer = await Trainer.open(start.model, store, executor, prepared.trainer);
  const probes = await openProbes(prepared, trainer);
  const { states } = trainer;
  let checkpoint = existing.at(-1);
  let from = START;
  const isResumed = checkpoint !== undefined;
  if (!isResumed || data.begin !== undefined) {
    await initialStates(prepared, states, signal);
    await data.begin?.({ trainer, executor, folder: checkpoints, isResumed, signal });
  }
  if (checkpoint !== undefined) {
    const state = await readTrainState(checkpoint);
    checkSameRun(state, recipe, data.hash);
    await readStates(checkpoint, states);
    from = state.position;
    if (state.executor !== executor.name || state.tier !== executor.tier) {
      const [before, after] = [`${state.executor} (${state.tier})`, `${executor.name} (${executor.tier})`];
      options.onNote?.(`Begun on ${before}, it goes on on ${after}: the same run, but not to the last bit.`);
    }
  }
  await options.onStart?.(from);

  const position = await runLoop(
    {
      trainer,
      data,
      schedule,
      clip: recipe.clip,
      guard: recipe.guard,
      validateEvery: data.hasValidation ? recipe.validate.every : 0,
      checkpointEvery: recipe.checkpoint.every,
      samplesEvery: asked.every,
      probesEvery: recipe.probes?.every ?? 0,
      onEvent,
      now,
      ...(signal !== undefined && { signal }),
      async save(position) {
        checkpoint = await saveCheckpoint(checkpoints, {
          states,
          trained: await trainedFiles(prepared, states),
          state: { version: 1, position, recipe, dataHash: data.hash, executor: executor.name, tier: executor.tier },
        });
        await removeOld(checkpoints, recipe.checkpoint.keep);
        onEvent({ type: "checkpoint", step: position.step, path: checkpoint });
      },
      async sample({ step }) {
        const { threads } = prepared.trainer;
        const samples = await takeSamples(prepared, states, step, executor, { threads, signal });
        for (const sample of samples) {
          const copied = await copies?.find(sample.text);
          onEvent({ type: "sample", step, ...sample, ...(copied !== undefined && { copied }) });
        }
      },
      async probe({ step }) {
        if (probes !== undefined) onEvent({ type: "probes", step, ...(await probes(signal)) });
      },
    },
    from,
  );
  return { position, checkpoint: checkpoint! };
}
