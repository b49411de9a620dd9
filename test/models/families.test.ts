// The families on real GGUF files: every tensor is used, and the reference executor gives the log-probabilities that
// float32 gives (`../shared/data/real`, whose README tells how they were made).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { openFileStore, readModelFiles } from "../../src/engine/file-store.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { createRunner } from "../families/runner.ts";
import { modelFile } from "../model-files.ts";
import { sharedData } from "../shared-data.ts";

const models = {
  "gemma-3-270m-q4_k_m": { family: "gemma3_text", groups: ["window 15", "full 3"], vocabularySize: 262_144 },
  "qwen2.5-coder-1.5b-instruct-q4_k_m": { family: "qwen2", groups: ["full 28"], vocabularySize: 151_936 },
};

for (const [name, expected] of Object.entries(models)) {
  const { path, skip } = modelFile(`${name}.gguf`);
  test(`${name} opens with every tensor used`, { skip }, async () => {
    await using files = await openModelFiles(path);
    const model = await readModelFiles(files);
    const store = openFileStore(files, model);
    const used = new Set([...model.parameters.values()].flatMap(({ pieces }) => pieces.map(({ tensor }) => tensor)));
    assert.deepEqual(used, new Set(files.tensors.keys()));
    assert.equal(model.ignored.size, 0);
    assert.equal(store.parameters.size, model.parameters.size);
    const { family, vocabularySize, cacheGroups } = model;
    const groups = cacheGroups.map((group) => `${group.name} ${group.layers}`);
    assert.deepEqual({ family, groups, vocabularySize }, expected);
  });
}

interface TopLogprobs {
  readonly prompt: string;
  readonly prompt_ids: readonly number[];
  readonly top: readonly { readonly id: number; readonly logprob_f32: number }[];
}

test("Gemma 3 270M on the reference executor gives float32's log-probabilities", async (t) => {
  const name = "gemma-3-270m-q4_k_m";
  const [model, golden] = [modelFile(`${name}.gguf`), sharedData(`real/${name}.json`)];
  const skip = model.skip || golden.skip;
  if (skip) return t.skip(skip);
  const { top_logprobs } = JSON.parse(readFileSync(golden.path, "utf8")) as { top_logprobs: readonly TopLogprobs[] };
  await using files = await openModelFiles(model.path);
  const read = await readModelFiles(files);
  await using runner = await createRunner(referenceExecutor, openFileStore(files, read), read);
  const [{ prompt_ids, top }] = top_logprobs;
  const { logits } = await runner.run([{ sequence: 0, ids: prompt_ids }]);
  const last = logits.subarray(logits.length - read.vocabularySize);
  const largest = last.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = largest + Math.log(last.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  const differences = top.map(({ id, logprob_f32 }) => Math.abs(last[id] - logSum - logprob_f32));
  t.diagnostic(`largest difference ${Math.max(...differences)}`);
  // the reference numbers have five decimals; f32 sums and ours differ by a little more: 2.4e-5 was measured
  assert.ok(Math.max(...differences) < 1e-4);
});
