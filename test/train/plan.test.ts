import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MemoryError } from "../../src/base/errors.ts";
import { openExecutor } from "../../src/chat/executors.ts";
import { planMemory, probeSpeed, sizeOfRun } from "../../src/train/plan.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { prepareTinyData, tinyRecipe } from "./tiny-run.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-plan-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

test("counts weights and operations", async () => {
  await using prepared = await prepareRun(tinyRecipe(folder));
  const layer = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32;
  const matrices = 512 * 32 + 2 * layer;
  const { parameters, trained, flopsPerToken, flops, steps } = sizeOfRun(prepared);
  assert.equal(parameters, matrices + 5 * 32);
  assert.equal(trained, parameters);
  assert.equal(flopsPerToken, 6 * matrices + 12 * 2 * 32 * 24.5);
  assert.equal(flops, flopsPerToken * steps * 192);
});

test("counts memory: three f32 states of each weight with AdamW, and refuses what does not fit", async () => {
  const executor = await openExecutor("cpu");
  await using prepared = await prepareRun(tinyRecipe(folder));
  const { stateBytes, totalBytes, availableBytes } = await planMemory(prepared, executor);
  const { parameters } = sizeOfRun(prepared);
  assert.ok(stateBytes > 12 * parameters && stateBytes < 24 * parameters, `${stateBytes} bytes`);
  assert.ok(totalBytes > stateBytes && totalBytes < availableBytes);
  const huge = ["hidden_size=16384", "num_attention_heads=64", "intermediate_size=131072", "num_hidden_layers=24"];
  await using large = await prepareRun(
    tinyRecipe(
      folder,
      huge.map((size) => `model.${size}`),
    ),
  );
  await assert.rejects(planMemory(large, executor), MemoryError);
});

test("a probe tells how long the run takes", async () => {
  await using prepared = await prepareRun(tinyRecipe(folder));
  const probe = await probeSpeed(prepared, await openExecutor("cpu"), { forMs: 100 });
  assert.ok(probe.tokensPerSecond > 100);
  const training = (1000 * 24 * 192) / probe.tokensPerSecond;
  assert.ok(probe.milliseconds > training * 0.5 && probe.milliseconds < training * 2, JSON.stringify(probe));
});
