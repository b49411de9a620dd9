// `liang correct` as a process: from marks to a model that prefers what a person wrote, and the report of it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Judgement } from "../../src/train/judgement.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { train } from "../../src/train/run.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { prepareTinyData, tinyRecipe } from "../train/tiny-run.ts";
import { pairRow } from "../train/tiny-stages.ts";
import { liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-correct-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);
const home = join(folder, "home");
const liang = liangIn(home);
const model = tinyModel();

/** A model that knows the sentences, and no order of answers. */
async function tinyModel(): Promise<string> {
  await using prepared = await prepareRun(tinyRecipe(folder, ["steps=20", "checkpoint.every=0"]), { threads: 1 });
  const checkpoints = join(folder, "checkpoints");
  return (await train(prepared, { executor: tinyExecutor(), checkpoints })).checkpoint;
}

interface Report {
  readonly way: string;
  readonly marks: { readonly rewritten: number; readonly good: number; readonly bad: number; readonly heldOut: number };
  readonly before: Judgement;
  readonly after: Judgement;
  readonly checkpoint: string;
}

type Mark = Readonly<Record<"reply" | "mark", string>> & { readonly rewrite?: string };

/** Writes a mark of each of 40 replies; the arguments that learn from them, a hundred times faster than without --set. */
async function marked(name: string, markOf: (i: number, chosen: string, rejected: string) => Mark): Promise<string[]> {
  const rows = Array.from({ length: 40 }, (_, i) => {
    const { prompt, chosen, rejected } = pairRow(i) as Record<string, string>;
    return JSON.stringify({ messages: [{ role: "user", content: prompt }], ...markOf(i, chosen, rejected) });
  });
  const file = join(folder, `${name}.jsonl`);
  await writeFile(file, rows.join("\n"));
  const rates = ["matrices", "others"].flatMap((group) => ["--set", `optimizer.${group}.rate=0.003`]);
  const common = ["--no-gguf", "--json", "--threads", "1", "--samples", "1"];
  return ["correct", file, "--model", await model, "--name", name, ...common, ...rates];
}

const rewritten = (_: number, chosen: string, rejected: string): Mark => ({
  reply: rejected,
  mark: "bad",
  rewrite: chosen,
});

async function correct(args: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await liang.run(args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Report;
}

test("rewritten replies make the model prefer what a person wrote", { timeout: 120_000 }, async () => {
  // every eighth is said to be good as it is
  const markOf: typeof rewritten = (i, chosen, rejected) =>
    i % 8 === 0 ? { reply: chosen, mark: "good" } : rewritten(i, chosen, rejected);
  const args = await marked("better", markOf);
  const report = await correct(args);
  assert.deepEqual([report.way, report.marks.rewritten, report.marks.good], ["dpo", 35, 5]);
  assert.ok(report.marks.heldOut >= 3, `${report.marks.heldOut} are held out`);
  assert.ok(report.after.prefers! >= 0.9, JSON.stringify(report.after));
  assert.ok(report.after.margin! > report.before.margin! + 2, `${report.before.margin} -> ${report.after.margin}`);
  assert.equal(report.after.replies.length, 1);
  const kept = JSON.parse(await readFile(join(folder, "home/runs/better/correction.json"), "utf8")) as Report;
  assert.deepEqual(kept.after, report.after);

  const again = await refusalIn(home, args);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /The run better is there already\. Take another --name/);
});

test("where most marks are of one reply alone, good ones become likely and bad ones unlikely", async () => {
  const markOf: typeof rewritten = (i, chosen, rejected) =>
    i % 4 === 0
      ? rewritten(i, chosen, rejected)
      : i % 2 === 0
        ? { reply: chosen, mark: "good" }
        : { reply: rejected, mark: "bad" };
  const { way, marks, before, after } = await correct(await marked("singles", markOf));
  assert.deepEqual([way, marks.rewritten, marks.good, marks.bad], ["kto", 10, 10, 20]);
  const gap = ({ better, worse }: Judgement): number => worse.natsPerToken! - better.natsPerToken!;
  assert.ok(gap(after) > gap(before) + 1, `${gap(before)} -> ${gap(after)}`);
  assert.ok(after.worse.natsPerToken! > before.worse.natsPerToken! + 0.5, JSON.stringify(after));
});

test("--by sft learns the better replies as text", async () => {
  const { way, before, after } = await correct([...(await marked("texts-alone", rewritten)), "--by", "sft"]);
  assert.equal(way, "sft");
  assert.ok(after.better.natsPerToken! < before.better.natsPerToken! - 1, JSON.stringify([before, after]));
  assert.ok(after.prefers! >= 0.9, JSON.stringify(after));
});

test("what is no mark is told", async () => {
  const marks = join(folder, "texts.jsonl");
  await writeFile(marks, JSON.stringify({ text: "Once upon a time there was a cat." }));
  const none = await refusalIn(home, ["correct", marks, "--model", join(folder, "none")]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /Line 1 of .*texts\.jsonl is no mark\. A line is \{messages, reply, mark, rewrite\?\}/);
});
