import assert from "node:assert/strict";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type RunFacts, ownRun } from "../store/index.ts";
import type { Recipe } from "../train/recipe.ts";
import { expectedOf, expectedText } from "./expected-loss.ts";
import { writeReport } from "./run-report.ts";

const root = await mkdtemp(join(tmpdir(), "liang-runs-"));
after(() => rm(root, { recursive: true }));

async function addRun(name: string, nats: number, change: Partial<RunFacts>, recipe: object = { model: {} }) {
  const facts: RunFacts = {
    version: 1,
    name,
    stage: "pretrain",
    startedAt: "2026-01-01T00:00:00.000Z",
    code: { version: "0.1.0" },
    dataHash: "same",
    parameters: 5,
    steps: 1,
    executor: "cpu",
    tier: "wasm",
    precision: "f32",
    ...change,
  };
  await using run = await ownRun(root, name);
  await run.describe(facts, recipe);
  run.record({ type: "step", step: 1, loss: nats, norm: 1, rate: 1, tokens: 1, ms: 1 } as never);
  run.record({ type: "validation", step: 1, nats_per_token: nats } as never);
}

const planned = {
  recipe: { stage: "pretrain", model: {} } as Recipe,
  data: { hash: "same", inNats: true },
  flops: 1e14,
};

test("finished runs of new models on the same data say what loss to expect, others say nothing", async () => {
  await addRun("short", 6, { flops: 1e11 });
  await addRun("long", 5, { flops: 1e13 });
  await addRun("other-data", 1, { flops: 1e12, dataHash: "other" });
  await addRun("other-stage", 1, { flops: 1e12, stage: "sft" });
  await addRun("of-a-model", 1, { flops: 1e12 }, { model: "org/name" });
  await addRun("stopped", 1, { flops: 1e12, steps: 2 });
  await addRun("unknown-operations", 1, {});
  assert.equal(await expectedOf(root, planned), undefined);
  await addRun("middle", 5.5, { flops: 1e12 });
  const found = (await expectedOf(root, planned))!;
  assert.equal(found.runs, 3);
  assert.ok(found.nats > 4.4 && found.nats < 4.8, `${found.nats}`);
  assert.match(
    expectedText(found),
    /^4\.\d\d nats a token held out \(4\.\d\d to [45]\.\d\d\), by 3 runs here, 10 times beyond them$/,
  );
  assert.equal(await expectedOf(root, { ...planned, recipe: { ...planned.recipe, model: "org/name" } }), undefined);
  assert.equal(await expectedOf(root, { ...planned, data: { ...planned.data, inNats: false } }), undefined);
});

test("a report lies with its run", async () => {
  const path = await writeReport(root, "long");
  assert.equal(path, join(root, "long", "report.html"));
  assert.match(await readFile(path, "utf8"), /<h1>long<\/h1>/);
  await assert.rejects(writeReport(root, "none"), /There is no run none/);
});
