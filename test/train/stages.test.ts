// Every stage from rows to a checkpoint: what it is to make better gets better, by an amount that is stated, on documents
// that it never learnt.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openSplit } from "../../src/train/data/tokenize.ts";
import type { RunEvent } from "../../src/train/loop.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import type { Recipe } from "../../src/train/recipe.ts";
import { train } from "../../src/train/run.ts";
import { Scorer, rewards } from "../../src/train/scorer.ts";
import { putLogits } from "../../src/train/stages/distill.ts";
import { batchOf, idsOf } from "../../src/train/stages/group-batch.ts";
import { openStartModel } from "../../src/train/start-model.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { tinyRecipe } from "./tiny-run.ts";
import { encoderRecipe, prepareStages, stageRecipe } from "./tiny-stages.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-stages-"));
after(() => rm(folder, { recursive: true }));
await prepareStages(folder);
const executor = tinyExecutor();
let runs = 0;

const ONCE = ["validate.every=1000", "checkpoint.every=0"];

const run = (stage: string, data: string, settings: readonly string[] = []) =>
  runRecipe(stageRecipe(folder, stage, data, [...ONCE, ...settings]));

/** The steps, the look at what is held out after the last, and the checkpoint. */
async function runRecipe(recipe: Recipe) {
  const events: RunEvent[] = [];
  await using prepared = await prepareRun(recipe, { threads: 1 });
  const checkpoints = join(folder, `run-${runs++}`);
  const { checkpoint } = await train(prepared, { executor, checkpoints, onEvent: (event) => events.push(event) });
  const [look] = events.flatMap((event) => (event.type === "validation" && "loss" in event ? [event] : []));
  const steps = events.filter((event) => event.type === "step");
  return { steps, look, checkpoint, notes: prepared.notes };
}

// A new model prefers neither: half of the pairs, by chance.
for (const objective of ["dpo", "ipo", "hinge", "simpo", "orpo", "kto"]) {
  test(`dpo by ${objective} comes to prefer the better of answers that are held out`, async () => {
    const { steps, look } = await run("dpo", "pairs", [`objective.name=${objective}`, "steps=12"]);
    assert.ok(look.loss < steps[0].loss, `${steps[0].loss} -> ${look.loss}`);
    assert.ok(look.measures.accuracy >= 0.9, JSON.stringify(look));
    assert.ok(steps.every(({ measures }) => measures !== undefined));
  });
}

test("at the first step the model and its reference are one", async () => {
  const { steps } = await run("dpo", "pairs", ["steps=1"]);
  // the reference is what the loss alone gives, the model what the gradient's program gives: equal but for rounding
  const { chosenReward, rejectedReward, margin } = steps[0].measures!;
  const off = [chosenReward, rejectedReward, margin, steps[0].loss - Math.LN2];
  assert.ok(
    off.every((value) => Math.abs(value) < 1e-4),
    `${off.join(", ")} nats`,
  );
});

test("reward learns a number that tells better answers from worse, and its head goes with the checkpoint", async () => {
  const { steps, look, checkpoint } = await run("reward", "pairs", ["steps=12", "precision=f32"]);
  assert.ok(Math.abs(steps[0].loss - Math.LN2) < 1e-6, "a new head says 0 of all");
  assert.ok(look.loss < 0.6 && look.measures.accuracy >= 0.9, JSON.stringify(look));

  await using start = await openStartModel({ model: checkpoint });
  const options = { rows: 96, targets: 96, precision: "f32" } as const;
  await using scorer = await Scorer.open(start.model, start.store!, executor, rewards, options);
  using store = await openSplit(join(folder, "pairs"), "validation", "pairs");
  let sum = 0;
  for (let pair = 0; pair < look.elements; pair++) {
    const ids = idsOf(store, 2 * pair);
    const asked = batchOf([{ ids, outputRows: [ids.length - 1], element: 0, part: 0 }], 1);
    sum += (await scorer.ask(asked)).rewards[0];
  }
  assert.ok(Math.abs(sum / look.elements - look.measures.chosenReward) < 1e-4, `${sum} ${JSON.stringify(look)}`);
});

test("distill brings a smaller model nearer to what its teacher says", async () => {
  const { checkpoint } = await run("pretrain", "data", ["steps=40"]);
  const objective = JSON.stringify({ teacher: checkpoint });
  const settings = [`objective=${objective}`, "model.hidden_size=16", "steps=40"];
  const { steps, look } = await run("distill", "data", settings);
  const { kl } = steps[0].measures!;
  assert.ok(look.measures.kl < kl / 3, `${kl} -> ${look.measures.kl}`);
});

test("of a teacher's logits the largest stay, and a vocabulary of another width is cut or filled", () => {
  const given = Float32Array.of(1, 3, 2, -1, 5, 0, 4, 9);
  const logits = new Float32Array(6);
  putLogits(given, logits, 2, 2);
  assert.deepEqual([...logits], [Math.fround(-1e9), 3, 2, 5, Math.fround(-1e9), 4]);
  const wider = new Float32Array(10);
  putLogits(given, wider, 2, 0);
  assert.deepEqual([...wider], [1, 3, 2, -1, Math.fround(-1e9), 5, 0, 4, 9, Math.fround(-1e9)]);
});

test("embed puts queries near to what belongs to them, away from what does not", async () => {
  const objective = JSON.stringify({ pairs: 4, negatives: true });
  const settings = [`objective=${objective}`, "steps=30", "batch.rows=576", "batch.tokens=576"];
  const { steps, look } = await run("embed", "triples", settings);
  assert.ok(look.loss < steps[0].loss - 0.5, `${steps[0].loss} -> ${look.loss}`);
});

test("what a stage cannot learn is said by name", async () => {
  await assert.rejects(run("dpo", "data"), /has nothing that dpo learns: No answers are compared here/);
  await assert.rejects(
    run("embed", "pairs", ['objective={"pairs":4}', "batch.rows=384", "batch.tokens=384"]),
    /no query/,
  );
  await assert.rejects(run("dpo", "pairs", ["batch.rows=64", "batch.tokens=64"]), /rows is 64, expected at least 96/);
  await assert.rejects(
    run("dpo", "pairs", ["batch.window=8"]),
    /has 0 pairs to learn, expected at least 1\. \d+ pairs of/,
  );
});

test("an encoder learns to find hidden tokens, then embeddings, and what comes next is refused", async () => {
  const mlm = 'objective={"name":"mlm","share":0.3}';
  const { steps, look, checkpoint } = await runRecipe(await encoderRecipe(folder, [...ONCE, mlm, "steps=80"]));
  assert.ok(look.loss < 0.7 * steps[0].loss, `${steps[0].loss} -> ${look.loss}`);
  await using learnt = await openStartModel({ model: checkpoint, tokenizer: undefined, template: undefined });
  assert.ok(learnt.model.family === "bert" && learnt.model.heads.logits !== undefined);
  const contrastive = 'objective={"name":"contrastive","pairs":4,"negatives":true}';
  const settings = [...ONCE, "stage=embed", contrastive, "steps=12", "batch.rows=576", "batch.tokens=576"];
  const fields = { model: checkpoint, tokenizer: undefined, data: join(folder, "triples") };
  const { look: nearer } = await runRecipe(tinyRecipe(folder, settings, fields));
  assert.ok(nearer.loss < Math.log(2 * 4), `${nearer.loss}`);
  await assert.rejects(encoderRecipe(folder, [...ONCE, "steps=1"]).then(runRecipe), /sees what comes next/);
});
