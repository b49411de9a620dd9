// `liang correct` as a process: from marks to a model that prefers what a person wrote, and the report of it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openExecutor } from "../../src/chat/executors.ts";
import type { Judgement } from "../../src/train/judgement.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { train } from "../../src/train/run.ts";
import { prepareTinyData, tinyRecipe } from "../train/tiny-run.ts";
import { pairRow } from "../train/tiny-stages.ts";
import { liangIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-correct-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);
const liang = liangIn(join(folder, "home"));

/** A model that knows the sentences, and no order of answers. */
async function tinyModel(): Promise<string> {
  await using prepared = await prepareRun(tinyRecipe(folder, ["steps=20", "checkpoint.every=0"]), { threads: 1 });
  const checkpoints = join(folder, "checkpoints");
  return (await train(prepared, { executor: await openExecutor("cpu"), checkpoints })).checkpoint;
}

interface Report {
  readonly way: string;
  readonly marks: { readonly rewritten: number; readonly good: number; readonly bad: number; readonly heldOut: number };
  readonly before: Judgement;
  readonly after: Judgement;
  readonly checkpoint: string;
}

test("marks make the model prefer what a person wrote", { timeout: 120_000 }, async () => {
  const model = await tinyModel();
  const marks = join(folder, "marks.jsonl");
  const rows = Array.from({ length: 40 }, (_, i) => {
    const { prompt, chosen, rejected } = pairRow(i) as Record<string, string>;
    const messages = [{ role: "user", content: prompt }];
    // every eighth is said to be good as it is
    return i % 8 === 0
      ? { messages, reply: chosen, mark: "good" }
      : { messages, reply: rejected, mark: "bad", rewrite: chosen };
  });
  await writeFile(marks, rows.map((row) => JSON.stringify(row)).join("\n"));
  const rate = (group: string) => ["--set", `optimizer.${group}.rate=0.003`];
  const args = ["correct", marks, "--model", model, "--name", "better", "--no-gguf", "--json", "--threads", "1"];
  const { code, stdout, stderr } = await liang.run([...args, ...rate("matrices"), ...rate("others")]);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as Report;
  assert.deepEqual([report.way, report.marks.rewritten, report.marks.good], ["dpo", 35, 5]);
  assert.ok(report.marks.heldOut >= 3, `${report.marks.heldOut} are held out`);
  assert.ok(report.after.prefers! >= 0.9, JSON.stringify(report.after));
  assert.ok(report.after.margin! > report.before.margin! + 2, `${report.before.margin} -> ${report.after.margin}`);
  assert.equal(report.after.replies.length, 3);
  const kept = JSON.parse(await readFile(join(folder, "home/runs/better/correction.json"), "utf8")) as Report;
  assert.deepEqual(kept.after, report.after);

  const again = await liang.run(args);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /The run better is there already\. Take another --name/);
});

test("what is no mark is told", async () => {
  const marks = join(folder, "texts.jsonl");
  await writeFile(marks, JSON.stringify({ text: "Once upon a time there was a cat." }));
  const none = await liang.run(["correct", marks, "--model", join(folder, "none")]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /Line 1 of .*texts\.jsonl is no mark\. A line is \{messages, reply, mark, rewrite\?\}/);
});
