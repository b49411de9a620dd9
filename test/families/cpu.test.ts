// The families on the cpu executor: every case on the best tier of this host, the main form of each family on every tier.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { caseNames, encoderDecoderNames, encoderNames, mainOf, openCase, readGolden } from "./cases.ts";
import { encoderDecoderSuite } from "./encoder-decoder-suite.ts";
import { encoderSuite } from "./encoders.ts";
import { goldenSuite, otherFormsSuite } from "./golden.ts";
import { imageSuite } from "./images.ts";
import { createRunner } from "./runner.ts";

// f32 sums in another order than transformers': a few times its own distance from a float64 forward.
const FACTOR = 4;

const [best, ...others] = cpuTiers({ ownThread: true });
goldenSuite(best, FACTOR);
otherFormsSuite(best);
encoderSuite(best, FACTOR);
encoderDecoderSuite(best, FACTOR);
imageSuite(best, FACTOR);
for (const executor of others) {
  goldenSuite(executor, FACTOR, { names: mainOf(caseNames), numbersAlone: true });
  encoderSuite(executor, FACTOR, { names: mainOf(encoderNames), numbersAlone: true });
  encoderDecoderSuite(executor, FACTOR, { names: mainOf(encoderDecoderNames), numbersAlone: true });
  imageSuite(executor, FACTOR, { numbersAlone: true });
}

test("threads give the bytes that the caller's thread gives", async () => {
  const { i32 } = await readGolden("llama");
  const logits = [best, createCpuExecutor()].map(async (executor) => {
    await using opened = await openCase("llama");
    await using runner = await createRunner(executor, opened.store, opened.model);
    return (await runner.run([{ sequence: 0, ids: i32.input_ids_a }])).logits;
  });
  const [own, threads] = await Promise.all(logits);
  assert.deepEqual(threads, own);
});
