// DeepSeek's folders to GGUF and back: every weight's bits, and settings that say the same model.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { convert } from "../../src/convert/index.ts";
import type { CaseName } from "../families/cases.ts";
import { allBytes, readJson, temporaryFolder, writeCase } from "./folders.ts";

const KEPT: readonly string[] = [
  "model_type",
  "q_lora_rank",
  "kv_lora_rank",
  "qk_nope_head_dim",
  "qk_rope_head_dim",
  "v_head_dim",
  "num_attention_heads",
  "num_key_value_heads",
  "n_routed_experts",
  "n_shared_experts",
  "num_experts_per_tok",
  "n_group",
  "topk_group",
  "topk_method",
  "norm_topk_prob",
  "routed_scaling_factor",
  "first_k_dense_replace",
  "moe_intermediate_size",
  "intermediate_size",
  "rms_norm_eps",
  "rope_theta",
  "rope_scaling",
];

/** Yarn as published configs have it. */
const yarn = {
  type: "yarn",
  factor: 40,
  original_max_position_embeddings: 64,
  beta_fast: 32,
  beta_slow: 1,
  mscale: 0.707,
  mscale_all_dim: 0.707,
};

for (const name of ["deepseek_v2", "deepseek_v2-lite", "deepseek_v3"] satisfies CaseName[]) {
  test(`${name} goes to GGUF and back without losing a bit`, async () => {
    await using folder = await temporaryFolder();
    const [from, gguf, back] = [folder.at("hf"), folder.at("model.gguf"), folder.at("back")];
    await mkdir(from);
    const changes = name === "deepseek_v2-lite" ? { rope_scaling: yarn } : {};
    await writeCase(from, name, "config.legacy.json");
    const given: Record<string, unknown> = { ...(await readJson(join(from, "config.json"))), ...changes };
    await writeFile(join(from, "config.json"), JSON.stringify(given));
    await convert(from, gguf);
    await convert(gguf, back);
    const [before, after] = [await allBytes(from), await allBytes(back)];
    assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
    for (const [tensor, bytes] of before) assert.deepEqual(after.get(tensor), bytes, tensor);
    const config = await readJson(join(back, "config.json"));
    for (const key of KEPT) {
      if (given[key] !== undefined) assert.deepEqual(config[key], given[key], key);
    }
  });
}
