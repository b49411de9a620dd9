import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FormatError, UsageError } from "../base/errors.ts";
import { parseRecipe, scheduleOf, stepsOf } from "./recipe.ts";

const TEXT = `{
  // a comment, and "quotes" in it
  "stage": "pretrain",
  "model": { "model_type": "llama", "note": "no // comment, /* nor this */" },
  "tokenizer": "tokenizers/poems", /* two
  lines */
  "data": "data/poems",
  "steps": 100,
  "batch": { "window": 64, "rows": 256, "tokens": 1024 },
  "optimizer": {
    "matrices": { "name": "muon", "rate": 0.02 },
    "others": { "name": "adamw", "rate": 3e-3, "weightDecay": 0.1 }, // the last one
  },
}`;
const parse = (...settings: string[]) => parseRecipe("poems.json", TEXT, settings);

/** That a changed recipe is refused with a sentence that matches, and names the field. */
function refuses(setting: string, field: string, message: RegExp): void {
  assert.throws(
    () => parse(...setting.split(" ")),
    (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.equal(error.field, field);
      return true;
    },
  );
}

test("reads comments, and fills in what is left out", () => {
  const recipe = parse();
  assert.deepEqual(recipe.model, { model_type: "llama", note: "no // comment, /* nor this */" });
  assert.deepEqual(recipe.optimizer.others, {
    name: "adamw",
    rate: 0.003,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
  });
  assert.deepEqual(recipe.schedule, { warmup: 0, decay: "linear", least: 0 });
  assert.deepEqual(recipe.checkpoint, { every: 200, keep: 2, type: "f32" });
});

test("a recipe with all written out is the same recipe", () => {
  assert.deepEqual(parseRecipe("again", JSON.stringify(parse())), parse());
});

test("settings go over the file: numbers, texts, lists, fields that were not there", () => {
  const recipe = parse("batch.rows=512", "data=other/folder", 'samples.prompts=["a","b"]', "guard.patience=3");
  assert.equal(recipe.batch.rows, 512);
  assert.equal(recipe.data, "other/folder");
  assert.deepEqual(recipe.samples.prompts, ["a", "b"]);
  assert.equal(recipe.guard.patience, 3);
});

test("names the field that is wrong, what it is, and what was expected", () => {
  refuses("batch.rows=0", "batch.rows", /poems\.json: batch\.rows is 0: expected a whole number from 1 on\./);
  refuses("batch.tokens=1000", "batch.tokens", /is 1000: expected a multiple of batch\.rows, 256/);
  refuses("optimizer.matrices.name=adam", "optimizer.matrices.name", /is "adam": expected adamw, muon/);
  refuses("optimizer.matrices.beta1=0.5", "optimizer.matrices.beta1", /no field of a recipe/);
  refuses("optimizer.others.name=muon optimizer.others.weightDecay=0", "optimizer.others.name", /gains are vectors/);
  refuses('optimizer.head={"name":"frozen"}', "optimizer.head.name", /a new model has no weights to keep/);
  refuses("stage=finetune", "stage", /is "finetune": expected pretrain, sft, seq2seq, dpo/);
  refuses("tokens=5000", "steps", /exactly one of steps, tokens and epochs/);
  refuses("model=gemma", "tokenizer", /expected none, since the model has its own/);
  refuses("stepps=5", "stepps", /stepps is no field/);
  refuses("steps=null", "steps", /steps is null/);
  refuses("data.folder=x", "set", /no fields in data/);
  refuses("rows", "set", /expected KEY=VALUE/);
  refuses("__proto__.x=1", "set", /--set/);
  assert.throws(() => parseRecipe("r.json", '{"stage": }'), FormatError);
});

test("a stage with several objectives has the first, with its settings, unless another is named", () => {
  assert.deepEqual(parse().objective, { name: "next" });
  assert.deepEqual(parse("stage=dpo").objective, {
    name: "dpo",
    beta: 0.1,
    averaged: false,
    flipped: 0,
    robust: false,
  });
  const kto = { name: "kto", beta: 0.2, desirable: 1, undesirable: 1 };
  assert.deepEqual(parse("stage=dpo", "objective.name=kto", "objective.beta=0.2").objective, kto);
  refuses("stage=dpo objective.name=reward", "objective.name", /is "reward": expected dpo, ipo/);
  refuses("stage=dpo objective.name=ppo", "objective.name", /is "ppo": expected dpo, ipo/);
  refuses("stage=dpo objective.beta=0", "objective.beta", /is 0: expected a number above 0/);
  refuses('objective={"name":"dpo"}', "objective.name", /is "dpo": expected next, mlm/);
  refuses('stage=sft objective={"name":"next"}', "objective.name", /expected none, since sft has one/);
  refuses("stage=distill", "objective.teacher", /is missing: expected a name or a path/);
});

test("tokens and epochs are rounded up to whole steps", () => {
  const others = { ...parse(), steps: undefined };
  assert.equal(stepsOf(parse(), 5), 100);
  assert.equal(stepsOf({ ...others, tokens: 1025 }, 5), 2);
  assert.equal(stepsOf({ ...others, epochs: 2.5 }, 10_240), 25);
});

test("refuses a schedule that is longer than the run", () => {
  assert.equal(scheduleOf(parse("schedule.warmup=10"), 100).steps, 100);
  assert.throws(() => scheduleOf(parse("schedule.warmup=101"), 100), /100 steps has 101 of warm-up/);
});

test("every recipe of recipes/ is one", () => {
  const folder = join(import.meta.dirname, "../../recipes");
  for (const name of readdirSync(folder).filter((file) => /\.jsonc?$/.test(file))) {
    const recipe = parseRecipe(name, readFileSync(join(folder, name), "utf8"));
    assert.ok(stepsOf(recipe, 100_000) > 0);
    scheduleOf(recipe, stepsOf(recipe, 100_000_000));
  }
});
