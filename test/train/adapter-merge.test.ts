// Adapters folded into their models: the folder opens as a model, says the same, and is refused where it would not.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { mergeAdapter } from "../../src/train/merge.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import type { Recipe } from "../../src/train/recipe.ts";
import { train } from "../../src/train/run.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { readData } from "../safetensors-data.ts";
import { prepareTinyData, tinyRecipe } from "./tiny-run.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-merge-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

const executor = tinyExecutor();
async function run(recipe: Recipe, name: string): Promise<string> {
  await using prepared = await prepareRun(recipe, { threads: 1 });
  return (await train(prepared, { executor, checkpoints: join(folder, name) })).checkpoint;
}

const base = await run(tinyRecipe(folder, ["steps=8"]), "base");
/** Adapters that have learnt something, of each kind. */
const adapters: Record<string, string> = {};
for (const kind of ["lora", "dora"]) {
  const fields = { model: base, tokenizer: undefined, adapter: { kind, rank: 4, alpha: 8 } };
  adapters[kind] = await run(tinyRecipe(folder, ["steps=6"], fields), kind);
}

for (const [kind, adapter] of Object.entries(adapters)) {
  test(`${kind}: the merged model's logits are the adapter's, and not the base's`, async () => {
    const to = join(folder, `merged-${kind}`);
    const { projections, logits } = await mergeAdapter(base, adapter, to, referenceExecutor);
    assert.equal(projections, 14);
    assert.ok(logits.largestDifference <= logits.allowed && logits.allowed < 0.02, JSON.stringify(logits));
    const [before, now] = [base, to].map((path) => readData(join(path, "model.safetensors")));
    const name = "model.layers.0.self_attn.q_proj.weight";
    assert.notDeepEqual((await now)[name].f32, (await before)[name].f32);
    assert.deepEqual((await now)["model.norm.weight"].f32, (await before)["model.norm.weight"].f32);
    assert.ok((await readdir(to)).includes("tokenizer.json"));
  });
}

test("bf16 is half as large, and near", async () => {
  const to = join(folder, "half");
  const { logits } = await mergeAdapter(base, adapters["lora"], to, referenceExecutor, { type: "bf16" });
  assert.ok(logits.largestDifference > 0 && logits.largestDifference <= logits.allowed);
  assert.equal((await readData(join(to, "model.safetensors")))["model.norm.weight"].dtype, "BF16");
});

test("what is there stays, and an adapter of other words is refused; nothing is left behind", async () => {
  const to = join(folder, "refused");
  await assert.rejects(mergeAdapter(base, adapters["lora"], base, referenceExecutor), /is there already/);
  const path = join(adapters["lora"], "liang.json");
  const notes = await readFile(path, "utf8");
  await writeFile(path, JSON.stringify({ version: 1, words: "others" }));
  await assert.rejects(
    mergeAdapter(base, adapters["lora"], to, referenceExecutor),
    /trained with another vocabulary or chat template/,
  );
  await writeFile(path, notes);
  assert.ok((await readdir(folder)).every((name) => !name.startsWith("refused")));
});
