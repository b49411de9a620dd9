import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openRunReader } from "./run-reader.ts";
import { type RunFacts, ownRun, runFolder } from "./runs.ts";

const root = await mkdtemp(join(tmpdir(), "liang-runs-"));
after(() => rm(root, { recursive: true }));
const facts = (name: string, startedAt = "2026-01-01T00:00:00.000Z"): RunFacts => ({
  version: 1,
  name,
  stage: "pretrain",
  startedAt,
  code: { version: "0.1.0" },
  dataHash: "00",
  parameters: 5,
  steps: 3,
  executor: "cpu",
  tier: "wasm",
  precision: "f32",
});
const step = (at: number, loss: number) => ({ type: "step", step: at, loss, norm: 1, rate: 1, tokens: 100, ms: 50 });

test("a run is running, then stopped or done, and tells how far it is", async () => {
  const runs = openRunReader(root);
  assert.deepEqual(await runs.list(), []);
  {
    await using run = await ownRun(root, "a");
    await run.describe(facts("a"), { stage: "pretrain" }, { total: 1 });
    const [begun] = await runs.list();
    assert.deepEqual([begun.state, begun.step, begun.loss, begun.leftMs], ["running", 0, null, null]);
    run.record(step(1, 4));
    run.record(step(2, 3));
    run.record({ type: "validation", step: 2, nats_per_token: 3.5 } as never);
    const [{ state, loss, validation, tokensPerSecond, tokens, leftMs }] = await runs.list();
    assert.deepEqual([state, loss, validation, tokensPerSecond, tokens, leftMs], ["running", 3.5, 3.5, 2000, 200, 50]);
  }
  assert.equal((await runs.list())[0].state, "stopped");
  {
    await using run = await ownRun(root, "a");
    run.record(step(3, 2));
  }
  const details = await runs.details("a");
  assert.deepEqual([details.state, details.leftMs, details.tokens], ["done", null, 300]);
  assert.deepEqual(details.recipe, { stage: "pretrain" });
  assert.deepEqual(details.data, { total: 1 });
  assert.deepEqual(details.checkpoints, []);
});

test("a process that died is seen by its lock growing old", async () => {
  await using run = await ownRun(root, "dead");
  await run.describe(facts("dead", "2026-01-02T00:00:00.000Z"), {});
  const lock = join(run.path, "run.lock");
  const runs = openRunReader(root);
  assert.equal((await runs.details("dead")).state, "running");
  await rm(lock);
  await appendFile(lock, "");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  await rm(lock); // whether the owner touches it once more is nobody's to say
  assert.equal((await runs.details("dead")).state, "stopped");
  assert.deepEqual(
    (await runs.list()).map(({ facts: { name } }) => name),
    ["dead", "a"],
  );
});

test("metrics come once, in whole lines, and anew after a run went back", async () => {
  const runs = openRunReader(root);
  await using run = await ownRun(root, "b");
  await run.describe(facts("b"), {});
  const none = await runs.metrics("b");
  assert.deepEqual([none.metrics, none.isWhole], [[], true]);
  run.record(step(1, 4));
  await appendFile(join(run.path, "metrics.jsonl"), '{"type":"st');
  const first = await runs.metrics("b", none.next);
  assert.deepEqual([first.metrics.length, first.isWhole], [1, true]);
  await appendFile(join(run.path, "metrics.jsonl"), 'ep","step":2}\n');
  const second = await runs.metrics("b", first.next);
  assert.deepEqual([second.metrics, second.isWhole], [[{ type: "step", step: 2 }], false]);
  assert.deepEqual((await runs.metrics("b", second.next)).metrics, []);
  await run.rewind(1);
  run.record(step(2, 3));
  run.record(step(3, 2));
  const anew = await runs.metrics("b", second.next);
  assert.deepEqual([anew.metrics.map((metric) => metric.step), anew.isWhole], [[1, 2, 3], true]);
  for (const nonsense of ["x", "1.2.3", ".", `${second.next}9999999`]) {
    assert.equal((await runs.metrics("b", nonsense)).isWhole, true, nonsense);
  }
});

test("what is no run is named", async () => {
  const runs = openRunReader(root);
  await assert.rejects(runs.details("none"), /There is no run none/);
  await assert.rejects(runs.metrics("../a"), /run's name/);
  await rm(join(runFolder(root, "a").path, "run.json"));
  await assert.rejects(runs.metrics("a"), /There is no run a/);
});
