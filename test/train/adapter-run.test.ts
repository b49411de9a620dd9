// Runs that train an adapter beside a model's weights: what a checkpoint holds, that the model's weights stay, that it
// goes on to the same bytes, and what a recipe may not say.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cpuExecutor } from "../../src/device/cpu/executor.ts";
import { planMemory, sizeOfRun } from "../../src/train/plan.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import type { Recipe } from "../../src/train/recipe.ts";
import { type RunOptions, train } from "../../src/train/run.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { readData } from "../safetensors-data.ts";
import { prepareTinyData, tinyRecipe } from "./tiny-run.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-adapter-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

async function run(recipe: Recipe, options: Partial<RunOptions> & { checkpoints: string }) {
  await using prepared = await prepareRun(recipe, { threads: 1 });
  return await train(prepared, { executor: tinyExecutor(), ...options });
}

const { checkpoint: base } = await run(tinyRecipe(folder, ["steps=8"]), { checkpoints: join(folder, "base") });
/** The model that is adapted has its own tokenizer. */
const adapted = (...settings: string[]): Recipe =>
  tinyRecipe(folder, ["steps=12", ...settings], {
    model: base,
    tokenizer: undefined,
    adapter: { rank: 4, alpha: 8 },
  });

test("a checkpoint is an adapter's folder as PEFT has it, and what the run needs to go on", async () => {
  const { checkpoint } = await run(adapted('adapter.targets=["q_proj","mlp.down"]'), {
    checkpoints: join(folder, "some"),
  });
  assert.deepEqual((await readdir(checkpoint)).toSorted(), [
    "adapter_config.json",
    "adapter_model.safetensors",
    "liang.json",
    "train",
  ]);
  const config = JSON.parse(await readFile(join(checkpoint, "adapter_config.json"), "utf8")) as Record<string, unknown>;
  const { peft_type, r, lora_alpha, use_dora, base_model_name_or_path, target_modules } = config;
  assert.deepEqual([peft_type, r, lora_alpha, use_dora, base_model_name_or_path], ["LORA", 4, 8, false, base]);
  const modules = [0, 1].flatMap((n) => [`model.layers.${n}.self_attn.q_proj`, `model.layers.${n}.mlp.down_proj`]);
  assert.deepEqual(target_modules, modules);
  const tensors = await readData(join(checkpoint, "adapter_model.safetensors"));
  const names = modules.flatMap((name) => ["A", "B"].map((part) => `base_model.model.${name}.lora_${part}.weight`));
  assert.deepEqual(Object.keys(tensors).toSorted(), names.toSorted());
  assert.deepEqual(tensors["base_model.model.model.layers.1.mlp.down_proj.lora_A.weight"].shape, [4, 64]);
  assert.deepEqual(tensors["base_model.model.model.layers.1.mlp.down_proj.lora_B.weight"].shape, [32, 4]);
  const states = await readData(join(checkpoint, "train/states.safetensors"));
  assert.ok(
    Object.keys(states).every((name) => /\.lora[AB](\.|$)/.test(name)),
    Object.keys(states).join(" "),
  );
});

test("a DoRA has magnitudes, which are vectors and never Muon's", async () => {
  const { checkpoint } = await run(adapted("adapter.kind=dora", "steps=2"), { checkpoints: join(folder, "dora") });
  const tensors = await readData(join(checkpoint, "adapter_model.safetensors"));
  assert.deepEqual(tensors["base_model.model.model.layers.0.self_attn.k_proj.lora_magnitude_vector"].shape, [16]);
  const states = Object.keys(await readData(join(checkpoint, "train/states.safetensors")));
  const moments = (weight: string): string[] =>
    states.filter((name) => name.startsWith(`optimizer.layers.0.attention.key.${weight}.`));
  assert.equal(moments("loraA").length, 1); // Muon's
  assert.equal(moments("loraMagnitude").length, 2); // AdamW's
});

test("stopped and gone on with, an adapter has the same bytes, whatever the threads", async () => {
  const bytes = async (checkpoint: string): Promise<Buffer[]> =>
    await Promise.all(
      ["adapter_model.safetensors", "train/states.safetensors"].map((name) => readFile(join(checkpoint, name))),
    );
  const whole = await run(adapted(), { checkpoints: join(folder, "whole") });
  const checkpoints = join(folder, "stopped");
  const abort = new AbortController();
  const onEvent: RunOptions["onEvent"] = ({ type, step }) => type === "step" && step === 5 && abort.abort();
  await assert.rejects(run(adapted(), { checkpoints, onEvent, signal: abort.signal }), { name: "AbortError" });
  await using prepared = await prepareRun(adapted(), { threads: 2 });
  const { checkpoint } = await train(prepared, { executor: cpuExecutor, checkpoints, resume: true });
  assert.deepEqual(await bytes(checkpoint), await bytes(whole.checkpoint));
});

test("a plan counts what is trained, and no state of what is not", async () => {
  await using prepared = await prepareRun(adapted('adapter.targets=["query"]'));
  const { parameters, trained, flopsPerToken } = sizeOfRun(prepared);
  assert.equal(trained, 2 * 4 * (32 + 32));
  const matrices = parameters - 5 * 32;
  assert.equal(flopsPerToken, 4 * matrices + 6 * trained + 12 * 2 * 32 * 24.5);
  const { stateBytes } = await planMemory(prepared, cpuExecutor);
  assert.ok(stateBytes >= 8 * trained && stateBytes < 16 * trained + 4096, `${stateBytes} bytes`);
});

test("targets that are no projections, and a new model, are refused", async () => {
  await assert.rejects(
    prepareRun(adapted('adapter.targets=["w_proj"]')),
    /adapter\.targets names w_proj, expected projections of llama: attention\.query, .*mlp\.down\./,
  );
  assert.throws(
    () => tinyRecipe(folder, ["adapter.rank=4"]),
    /: model is .*: expected the name or path of the model that the adapter is for\./,
  );
  assert.throws(() => adapted("adapter.kind=qlora"), /adapter\.kind .*: expected lora or dora\./);
});
