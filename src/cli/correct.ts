// `liang correct`: marks on a model's replies become a model that replies better, and a report of how it stood before and
// stands after. The run is one of training like any other. Not here: what a mark is (train/data/pair-shapes.ts).
import { join } from "node:path";
import process from "node:process";
import { createFileWriter, splitPath } from "#platform";
import { UsageError } from "../base/errors.ts";
import { openKeepingExecutor } from "../chat/keeping-executor.ts";
import { openDataFolder, ownRun, runsFolder } from "../store/index.ts";
import { listCheckpoints } from "../train/checkpoint.ts";
import {
  type CorrectionWay,
  type MarkCounts,
  correctionRecipe,
  correctionWays,
  longestMark,
  prepareMarks,
  wayFor,
} from "../train/correction.ts";
import { type Judgement, judgeModel } from "../train/judgement.ts";
import { prepareRun } from "../train/prepared-run.ts";
import { defineCommand } from "./command.ts";
import { writeGguf } from "./gguf-beside.ts";
import { progressBar } from "./progress-bar.ts";
import { runRecipe } from "./run-recipe.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { harmless, note, out, outJson, paint, tabulate } from "./terminal.ts";

export const command = defineCommand({
  summary: "Makes a model better by what a person said of its replies.",
  usage: "MARKS…",
  words: { least: 1, most: 1000 },
  options: {
    model: { type: "string", short: "m", hint: "MODEL", help: "the model that gave the replies" },
    by: { type: "string", hint: "WAY", help: `how it learns: ${correctionWays.join(", ")}` },
    set: { type: "string", multiple: true, hint: "KEY=VALUE", help: "change the recipe, as epochs=5" },
    name: { type: "string", hint: "NAME", help: "the run's name" },
    validation: { type: "number", help: "share of the marks held out for the report (default 0.2)" },
    samples: { type: "number", help: "questions answered before and after (default 3)" },
    gguf: { type: "boolean", help: "write model.gguf beside the result (default; --no-gguf: do not)" },
    json: { type: "boolean", help: "print the report as JSON" },
    threads: loadingOptions.threads,
    executor: loadingOptions.executor,
  },
  notes: [
    "A line of MARKS is {messages, reply, mark: good or bad, rewrite?}: the history,",
    "what was replied, what a person said of it, and what should have been replied.",
    "The run, its data and correction.json, the report, are in runs/NAME of the data",
    "folder. See docs/training.md.",
  ],
  async run(options, files, signal) {
    const { model, samples = 3 } = options;
    if (model === undefined) throw new UsageError("--model is missing.", { field: "model" });
    const { threads, executor: named } = loadOptions({ threads: options.threads, executor: options.executor });
    await using run = await ownRun(runsFolder(openDataFolder()), options.name ?? nameOf(model), signal);
    if ((await listCheckpoints(run.checkpoints)).length > 0) {
      throw new UsageError(`The run ${run.name} is there already.`, { hint: "Take another --name." });
    }
    const bar = progressBar();
    const data = join(run.path, "data");
    const { counts } = await prepareMarks(files, data, {
      ...(options.validation !== undefined && { validationShare: options.validation }),
      signal,
      onProgress: bar.report,
    }).finally(bar.end);
    const way = wayOf(options.by, counts);
    const split = counts.heldOut > 0 ? "validation" : "train";
    const judge = (of: string, adapter?: string): Promise<Judgement> =>
      judgeModel(of, data, {
        ...(adapter !== undefined && { adapter }),
        split,
        replies: samples,
        replyTokens: 64,
        threads,
        executor: named,
        signal,
      });
    const executor = await openKeepingExecutor(named);
    const window = await longestMark(model, data, signal);
    const recipe = correctionRecipe({ model, data, way, window }, options.set ?? []);
    await using prepared = await prepareRun(recipe, { threads, signal, onProgress: bar.report }).finally(bar.end);
    for (const line of prepared.notes) note(paint("faint", line, process.stderr));
    const isModel = prepared.adapter === undefined;
    const before = await judge(model);
    const result = await runRecipe(prepared, { run, executor, resume: false, signal });
    const gguf = isModel && options.gguf !== false ? await writeGguf(result.checkpoint, signal) : undefined;
    const after = await (isModel ? judge(result.checkpoint) : judge(model, result.checkpoint));
    const report: Report = { name: run.name, way, marks: counts, judgedOn: split, before, after };
    await keepReport(join(run.path, "correction.json"), report);
    if (options.json) outJson({ ...report, checkpoint: result.checkpoint, gguf: gguf ?? null });
    else out([reportText(report), "", result.checkpoint, ...(gguf === undefined ? [] : [gguf])].join("\n"));
  },
});

interface Report {
  readonly name: string;
  readonly way: CorrectionWay;
  readonly marks: MarkCounts;
  readonly judgedOn: "train" | "validation";
  readonly before: Judgement;
  readonly after: Judgement;
}

/** The model's own name, as a run's. */
const nameOf = (model: string): string =>
  `${splitPath(model)
    .name.replace(/\.gguf$/, "")
    .replaceAll(/[^\p{L}\p{N}._-]/gu, "-")
    .slice(0, 50)}-corrected`;

function wayOf(given: string | undefined, counts: MarkCounts): CorrectionWay {
  if (given === undefined) return wayFor(counts);
  const way = correctionWays.find((known) => known === given);
  if (way !== undefined) return way;
  throw new UsageError(`--by is ${JSON.stringify(given)}, expected ${correctionWays.join(", ")}.`, { field: "by" });
}

function reportText({ way, marks, judgedOn, before, after }: Report): string {
  const { rewritten, good, bad, heldOut } = marks;
  const share = (value: number | null): string => (value === null ? "-" : `${Math.round(100 * value)} %`);
  const figure = (value: number | null): string => (value === null ? "-" : value.toFixed(3));
  const rows = [
    ["", "before", "after"].map((head) => paint("faint", head)),
    ["better answer preferred", share(before.prefers), share(after.prefers)],
    ["by so many nats", figure(before.margin), figure(after.margin)],
    ["better answers, nats a token", figure(before.better.natsPerToken), figure(after.better.natsPerToken)],
    ["worse answers, nats a token", figure(before.worse.natsPerToken), figure(after.worse.natsPerToken)],
  ];
  const replies = before.replies.flatMap(({ prompt, text }, i) => {
    const asked = prompt.at(-1)?.content;
    return ["", harmless(`> ${typeof asked === "string" ? asked : JSON.stringify(asked)}`)].concat(
      harmless(`before: ${text}`),
      harmless(`after:  ${after.replies[i].text}`),
    );
  });
  const on =
    judgedOn === "validation" ? `the ${heldOut} that are held out` : "those that were learnt: none is held out";
  return [
    `${rewritten} rewritten, ${good} good, ${bad} bad; learnt by ${way}, judged on ${on}.`,
    tabulate(rows),
    ...replies,
  ].join("\n");
}

async function keepReport(path: string, report: Report): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  await file.finish();
}
