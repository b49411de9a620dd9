// One execution of a prepared recipe in a run's folder: what happens is written down and shown. Not here: which recipe
// (train.ts, correct.ts), what is made of the result (gguf-beside.ts, run-report.ts).
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { machineFacts } from "#platform";
import { NotFoundError } from "../base/errors.ts";
import type { OwnRun } from "../store/index.ts";
import { readCard } from "../train/data/prepare.ts";
import { machinePeak, sizeOfRun } from "../train/plan.ts";
import type { PreparedRun } from "../train/prepared-run.ts";
import { type RunOptions, type RunResult, train } from "../train/run.ts";
import { note } from "./terminal.ts";
import { trainView } from "./train-view.ts";
import { version } from "./version.ts";

export interface RunRecipeOptions {
  readonly run: OwnRun;
  readonly executor: RunOptions["executor"];
  readonly resume: boolean;
  readonly signal: AbortSignal;
}

/** Throws what `train` throws. */
export async function runRecipe(
  prepared: PreparedRun,
  { run, executor, resume, signal }: RunRecipeOptions,
): Promise<RunResult> {
  const { recipe } = prepared;
  const size = sizeOfRun(prepared);
  const peak = await machinePeak(executor, prepared);
  const view = trainView({ steps: size.steps, flopsPerToken: size.flopsPerToken, peak });
  const facts = {
    version: 1,
    name: run.name,
    stage: recipe.stage,
    startedAt: new Date().toISOString(),
    code: await codeVersion(),
    dataHash: prepared.data.hash,
    parameters: size.parameters,
    steps: size.steps,
    executor: executor.name,
    tier: executor.tier,
    precision: recipe.precision,
    flops: size.flops,
    machine: await machineFacts(),
  } as const;
  try {
    return await train(prepared, {
      executor,
      checkpoints: run.checkpoints,
      resume,
      signal,
      onNote: note,
      async onStart({ step }) {
        await run.rewind(step);
        await run.describe(facts, recipe, await dataCard(recipe.data));
      },
      onEvent(event) {
        run.record(event);
        view.report(event);
      },
    });
  } finally {
    view.end();
  }
}

/** undefined: it is no folder of prepared data. */
async function dataCard(folder: string): Promise<object | undefined> {
  return await readCard(folder).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
}

/** The package's version, and the commit of the clone that it runs from, where it does. */
async function codeVersion(): Promise<{ version: string; commit?: string }> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const isClone = await readFile(`${root}/.git/HEAD`).then(
    () => true,
    () => false,
  );
  if (!isClone) return { version: await version() };
  const commit = await promisify(execFile)("git", ["-C", root, "rev-parse", "HEAD"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  return { version: await version(), ...(commit !== undefined && { commit }) };
}
