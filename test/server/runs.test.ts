// Runs of training as the page asks for them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunDetails, RunList, RunMetric, RunMetrics } from "../../src/server/api-types.ts";
import { type RunLine, openRunReader, ownRun } from "../../src/store/index.ts";
import { createHarness, errorOf } from "./harness.ts";

const root = await mkdtemp(join(tmpdir(), "liang-runs-"));
after(() => rm(root, { recursive: true }));

/** What a run writes is what the page may read: a line that only one of them knows fails the check of types. */
const asPageReads = (line: RunLine): RunMetric => line;
const asWritten = (metric: RunMetric): RunLine => metric;

test("a run is listed, told in full, and its metrics come as they are written", async () => {
  await using harness = await createHarness({ runs: openRunReader(root) });
  assert.deepEqual(await harness.json<RunList>("/api/runs"), { runs: [] });
  await using run = await ownRun(root, "诗-1");
  const total = {
    exactDuplicates: 1,
    nearDuplicates: 2,
    train: { documents: 9, characters: 90, bytes: 270 },
    validation: { documents: 1, characters: 10, bytes: 30 },
  };
  const source = { path: "/texts/a.txt", bytes: 300, sha256: "ab" };
  await run.describe(
    {
      version: 1,
      name: "诗-1",
      stage: "pretrain",
      startedAt: "2026-01-01T00:00:00.000Z",
      code: { version: "0.1.0", commit: "abc" },
      dataHash: "00",
      parameters: 5,
      steps: 2,
      executor: "cpu",
      tier: "wasm",
      precision: "f32",
    },
    { stage: "pretrain" },
    { total, sources: [source] },
  );
  const step = asPageReads({ type: "step", step: 1, loss: 4, norm: 1, rate: 1, tokens: 100, ms: 50 });
  run.record(step);
  const { runs } = await harness.json<RunList>("/api/runs");
  assert.equal(runs.length, 1);
  assert.deepEqual([runs[0].name, runs[0].state, runs[0].step, runs[0].loss], ["诗-1", "running", 1, 4]);
  assert.ok(!("executor" in runs[0]));

  const address = `/api/runs/${encodeURIComponent("诗-1")}`;
  const details = await harness.json<RunDetails>(address);
  assert.deepEqual(details.recipe, { stage: "pretrain" });
  assert.deepEqual(details.data, {
    documents: { train: 9, validation: 1 },
    characters: { train: 90, validation: 10 },
    duplicates: { exact: 1, near: 2 },
    sources: [{ ...source, licence: null }],
  });

  const first = await harness.json<RunMetrics>(`${address}/metrics`);
  assert.deepEqual([first.metrics, first.isWhole], [[step], true]);
  run.record(asWritten({ type: "sample", step: 1, prompt: "春", text: "风" }));
  const second = await harness.json<RunMetrics>(`${address}/metrics?after=${encodeURIComponent(first.next)}`);
  assert.deepEqual([second.metrics, second.isWhole], [[{ type: "sample", step: 1, prompt: "春", text: "风" }], false]);
});

test("its report is one file that loads nothing", async () => {
  await using harness = await createHarness({ runs: openRunReader(root) });
  const response = await harness.request(`/api/runs/${encodeURIComponent("诗-1")}/report`);
  assert.match(response.headers.get("content-disposition") ?? "", /^attachment; .*%E8%AF%97-1\.html$/);
  const text = await response.text();
  assert.match(text, /<h1>诗-1<\/h1>/);
  assert.doesNotMatch(text, /https?:|<script|<link|<img/);
});

test("what is no run is an answer that says so", async () => {
  await using harness = await createHarness({ runs: openRunReader(root) });
  const missing = await errorOf(await harness.request("/api/runs/none/metrics"));
  assert.deepEqual([missing.status, missing.code], [404, "not_found"]);
  const path = await errorOf(await harness.request("/api/runs/..%2F..%2Fetc"));
  assert.deepEqual([path.status, path.param], [400, "name"]);
});

test("where nothing is trained there are no such routes", async () => {
  await using harness = await createHarness();
  assert.equal((await harness.request("/api/runs")).status, 404);
});
