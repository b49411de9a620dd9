// What training is made of on the cpu executor against the reference, on every tier, with one thread and with three.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "./tiers.ts";
import { roundedTrials, trainingTrials } from "./training-trials.ts";
import { assertReference, outputsOf } from "./trial-runner.ts";

const all = Object.values(trainingTrials).flat();
/** Of each trial in `all`. */
const expected = await outputsOf(referenceExecutor, all, 1);
const nearly = await outputsOf(referenceExecutor, roundedTrials, 1);

for (const executor of cpuTiers()) {
  describe(`training's ops on ${executor.tier} equal the reference`, async () => {
    const one = await outputsOf(executor, all, 1);
    const three = await outputsOf(executor, all, 3);
    for (const [name, list] of Object.entries(trainingTrials)) {
      it(`${name}, the same bytes with 1 and 3 threads`, () => {
        for (const [i, trial] of list.entries()) {
          const t = all.indexOf(trial);
          assertReference(trial, one[t], expected[t], `${name} ${i}`);
          assert.deepEqual(three[t], one[t]);
        }
      });
    }

    it("what is rounded is near it, and the same bytes with 1 and 3 threads", async () => {
      const found = await outputsOf(executor, roundedTrials, 1, "fast");
      const again = await outputsOf(executor, roundedTrials, 3, "fast");
      for (const [i, trial] of roundedTrials.entries()) {
        assertReference(trial, found[i], nearly[i], `rounded ${i}`);
        assert.deepEqual(again[i], found[i]);
      }
    });
  });
}
