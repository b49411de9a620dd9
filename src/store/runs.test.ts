import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type RunFacts, listRuns, ownRun, readMetrics, readRunFacts, readRunRecipe, runFolder } from "./runs.ts";

const root = await mkdtemp(join(tmpdir(), "liang-runs-"));
after(() => rm(root, { recursive: true }));
const facts: RunFacts = {
  version: 1,
  name: "a",
  stage: "pretrain",
  startedAt: "2026-01-01T00:00:00.000Z",
  code: { version: "0.1.0" },
  dataHash: "00",
  parameters: 5,
  steps: 9,
  executor: "cpu",
  tier: "wasm",
  precision: "f32",
};

test("keeps what a run is and what happened in it", async () => {
  assert.deepEqual(await listRuns(join(root, "none")), []);
  {
    await using run = await ownRun(root, "a");
    await run.describe(facts, { stage: "pretrain" });
    for (const step of [1, 2, 3]) run.record({ type: "step", step });
  }
  const folder = runFolder(root, "a");
  assert.deepEqual(await readRunFacts(folder), facts);
  assert.deepEqual(await readRunRecipe(folder), { stage: "pretrain" });
  assert.deepEqual(
    (await readMetrics(folder)).map(({ step }) => step),
    [1, 2, 3],
  );
  assert.deepEqual(await listRuns(root), ["a"]);
  await assert.rejects(readRunRecipe(runFolder(root, "b")), /There is no run b/);
});

test("forgets what came after the step that it goes on from, and a line that was cut short", async () => {
  const folder = runFolder(root, "a");
  await appendFile(join(folder.path, "metrics.jsonl"), '{"type":"st');
  assert.equal((await readMetrics(folder)).length, 3);
  await using run = await ownRun(root, "a");
  await run.rewind(2);
  run.record({ type: "step", step: 3 });
  assert.deepEqual(
    (await readMetrics(folder)).map(({ step }) => step),
    [1, 2, 3],
  );
});

test("is one process's at a time, and has a name that is no path", async () => {
  await using _ = await ownRun(root, "a");
  await assert.rejects(ownRun(root, "a"), /trained by another process/);
  for (const name of ["", "../a", "a/b", ".a", "a b"]) assert.throws(() => runFolder(root, name), /run's name/);
});
