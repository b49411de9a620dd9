// Every stage from rows to a checkpoint: what it is to make better gets better, by an amount that is stated, on documents
// that it never learnt.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openExecutor } from "../../src/chat/executors.ts";
import type { RunEvent } from "../../src/train/loop.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { train } from "../../src/train/run.ts";
import { prepareStages, stageRecipe } from "./tiny-stages.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-stages-"));
after(() => rm(folder, { recursive: true }));
await prepareStages(folder);
const executor = await openExecutor("cpu");
let runs = 0;

/** First and last look at what is held out, and all that happened. */
async function run(stage: string, data: string, settings: readonly string[] = []) {
  const events: RunEvent[] = [];
  const recipe = stageRecipe(folder, stage, data, ["validate.every=1", "checkpoint.every=0", ...settings]);
  await using prepared = await prepareRun(recipe, { threads: 1 });
  const checkpoints = join(folder, `run-${runs++}`);
  const { checkpoint } = await train(prepared, { executor, checkpoints, onEvent: (event) => events.push(event) });
  const looks = events.flatMap((event) => (event.type === "validation" && "loss" in event ? [event] : []));
  const steps = events.filter((event) => event.type === "step");
  return { looks, steps, first: looks[0], last: looks.at(-1)!, checkpoint, notes: prepared.notes };
}

for (const objective of ["dpo", "ipo", "hinge", "simpo", "orpo", "kto"]) {
  test(`dpo by ${objective} comes to prefer the better of answers that are held out`, async () => {
    const { steps, first, last } = await run("dpo", "pairs", [`objective.name=${objective}`, "steps=12"]);
    assert.ok(last.loss < first.loss, `${first.loss} -> ${last.loss}`);
    assert.ok(last.measures.accuracy >= 0.9, JSON.stringify(last));
    assert.equal(steps.length, 12);
    assert.ok(steps.every(({ measures }) => measures !== undefined));
  });
}

test("at the first step the model and its reference are one", async () => {
  const { steps } = await run("dpo", "pairs", ["steps=1", "precision=f32"]);
  assert.deepEqual(steps[0].measures, { chosenReward: 0, rejectedReward: 0, accuracy: 0, margin: 0 });
  assert.ok(Math.abs(steps[0].loss - Math.LN2) < 1e-6);
});
