// `liang train`: runs a recipe, or says what it would take. A run has a folder of its own, and goes on where it stopped.
import process from "node:process";
import { absolutePath, dataFolder, splitPath } from "#platform";
import { UsageError } from "../base/errors.ts";
import { openExecutor } from "../chat/executors.ts";
import { openKeepingExecutor } from "../chat/keeping-executor.ts";
import { openDataFolder, ownRun, readRunRecipe, runFolder, runsFolder } from "../store/index.ts";
import { planMemory, probeSpeed, sizeOfRun } from "../train/plan.ts";
import { prepareRun } from "../train/prepared-run.ts";
import { type Recipe, parseRecipe } from "../train/recipe.ts";
import type { ExpectedLoss } from "../train/scaling.ts";
import { stages } from "../train/stages/registry.ts";
import { defineCommand } from "./command.ts";
import { expectedOf, expectedText } from "./expected-loss.ts";
import { progressBar } from "./progress-bar.ts";
import { writeGguf } from "./gguf-beside.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { runRecipe } from "./run-recipe.ts";
import { writeReport } from "./run-report.ts";
import { bytes, duration, note, out, outJson, paint, tabulate } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";
import { shortNumber } from "./train-view.ts";

export const command = defineCommand({
  summary: "Trains a model by a recipe, in one of the stages below.",
  usage: "STAGE",
  words: { least: 1, most: 1 },
  options: {
    recipe: { type: "string", short: "r", hint: "FILE", help: "what to train, on what, how long" },
    set: { type: "string", multiple: true, hint: "KEY=VALUE", help: "change the recipe, as batch.rows=1024" },
    plan: { type: "boolean", help: "say what it would take, after a look at this machine of three seconds" },
    resume: { type: "boolean", help: "go on with the run where it stopped" },
    name: { type: "string", hint: "NAME", help: "the run's name (default: the recipe's file name)" },
    gguf: { type: "boolean", help: "write model.gguf beside the result (default; --no-gguf: do not)" },
    json: { type: "boolean", help: "print the plan or the result as JSON" },
    threads: loadingOptions.threads,
    executor: loadingOptions.executor,
  },
  notes: [
    ...Object.entries(stages).map(([name, { summary }]) => `${`${name}:`.padEnd(10)}${summary}`),
    "",
    "A run is kept in runs/NAME of the data folder: recipe.json, metrics.jsonl and",
    "checkpoints, each a folder that transformers and liang open as a model. Ctrl-C",
    "saves and ends; --resume goes on to the same bytes. See docs/training.md.",
  ],
  async run(options, [stage], signal) {
    const { threads, executor: named } = loadOptions({ threads: options.threads, executor: options.executor });
    const root = runsFolder(options.plan ? dataFolder() : openDataFolder());
    const { recipe, name } = await chosenRecipe(root, options);
    if (recipe.stage !== stage) {
      throw new UsageError(`The recipe's stage is ${recipe.stage}, expected ${stage}.`, {
        hint: `liang train ${recipe.stage} runs it.`,
      });
    }
    const executor = await (options.plan ? openExecutor(named) : openKeepingExecutor(named));
    const bar = progressBar();
    await using prepared = await prepareRun(recipe, { threads, signal, onProgress: bar.report }).finally(bar.end);
    for (const line of prepared.notes) note(paint("faint", line, process.stderr));
    const size = sizeOfRun(prepared);
    const memory = await planMemory(prepared, executor);
    if (options.plan) {
      const expected = (await expectedOf(root, { recipe, data: prepared.data, flops: size.flops })) ?? null;
      const plan = { ...size, memory, expected, ...(await probeSpeed(prepared, executor, { signal })) };
      if (options.json) outJson(plan);
      else out(planText(plan, executor.tier));
      return;
    }
    const startMs = performance.now();
    await using run = await ownRun(root, name, signal);
    const result = await runRecipe(prepared, { run, executor, resume: options.resume === true, signal });
    const report = await writeReport(root, name);
    const isModel = prepared.adapter === undefined;
    const gguf = isModel && options.gguf !== false ? await writeGguf(result.checkpoint, signal) : undefined;
    const cost = { milliseconds: performance.now() - startMs, peakBytes: peakMemory() };
    const { checkpoint } = result;
    if (options.json) outJson({ name, ...result.position, checkpoint, gguf: gguf ?? null, report, ...cost });
    else out([checkpoint, ...(gguf === undefined ? [] : [gguf]), report].join("\n"));
    note(`It took ${duration(cost.milliseconds)} and at most ${bytes(cost.peakBytes)} of memory.`);
  },
});

/** Bytes that this process had at most. */
const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;

/** Of the file, or of the run that goes on. */
async function chosenRecipe(
  root: string,
  {
    recipe: file,
    name,
    set = [],
    resume,
  }: { recipe?: string; name?: string; set?: readonly string[]; resume?: boolean },
): Promise<{ recipe: Recipe; name: string }> {
  if (file !== undefined) {
    const text = await readTextFile(file);
    const fileName = splitPath(absolutePath(file)).name.replace(/\.jsonc?$/, "");
    return { recipe: parseRecipe(file, text, set), name: name ?? fileName };
  }
  if (name === undefined || resume !== true) {
    throw new UsageError("There is no recipe.", {
      field: "recipe",
      hint: "Give --recipe FILE, or --resume --name NAME.",
    });
  }
  const folder = runFolder(root, name);
  return { recipe: parseRecipe(folder.path, JSON.stringify(await readRunRecipe(folder)), set), name };
}

type Plan = ReturnType<typeof sizeOfRun> & {
  readonly memory: Awaited<ReturnType<typeof planMemory>>;
  readonly tokensPerSecond: number;
  readonly milliseconds: number;
  readonly expected: ExpectedLoss | null;
};

function planText({ memory, ...plan }: Plan, tier: string): string {
  const { parameters, trained, steps, tokensPerStep, flops, flopsPerToken, tokensPerSecond, milliseconds } = plan;
  return tabulate([
    [
      "parameters",
      shortNumber(parameters) + (trained === parameters ? "" : `, and ${shortNumber(trained)} are trained`),
    ],
    ["tokens", `${shortNumber(steps * tokensPerStep)} in ${steps} steps of ${tokensPerStep}`],
    ["operations", `${flops.toExponential(1)} (${shortNumber(flopsPerToken)}FLOP a token)`],
    ["memory", `${bytes(memory.totalBytes)} of ${bytes(memory.availableBytes)} that are free`],
    [
      "speed here",
      `${shortNumber(tokensPerSecond)} tokens/s, ${shortNumber(tokensPerSecond * flopsPerToken)}FLOP/s (${tier})`,
    ],
    ["takes about", duration(milliseconds)],
    ...(plan.expected === null ? [] : [["expected loss", expectedText(plan.expected)]]),
  ]);
}
