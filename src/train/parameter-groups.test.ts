import assert from "node:assert/strict";
import { test } from "node:test";
import { newModel } from "../models/index.ts";
import { optimizersOf } from "./parameter-groups.ts";
import type { OptimizerRecipe } from "./recipe.ts";

const model = newModel({
  model_type: "qwen3",
  vocab_size: 24,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  head_dim: 8,
  max_position_embeddings: 16,
});
const row = (rate: number): OptimizerRecipe => ({ name: "lion", rate, weightDecay: 0, beta1: 0.9, beta2: 0.99 });
const muon: OptimizerRecipe = { name: "muon", rate: 1, weightDecay: 0, momentum: 0.9 };

test("matrices of layers have an optimizer of their own, all else the others' or its group's", () => {
  const few = optimizersOf({ optimizer: { matrices: muon, others: row(2) } }, model);
  assert.equal(few("layers.0.mlp.down.weight")!.name, "muon");
  for (const name of ["embedding.weight", "head.weight", "norm.weight", "layers.0.attention.queryNorm.weight"]) {
    assert.equal(few(name), few("norm.weight"));
    assert.equal(few(name)!.scalars(1, 1).step, 2);
  }
  const groups = {
    matrices: muon,
    others: row(2),
    head: row(3),
    vectors: row(4),
    embeddings: { name: "frozen" } as const,
  };
  const all = optimizersOf({ optimizer: groups }, model);
  assert.equal(all("embedding.weight"), undefined);
  assert.equal(all("head.weight")!.scalars(1, 1).step, 3);
  assert.equal(all("layers.0.mlpNorm.weight")!.scalars(1, 0.5).step, 2);
});
