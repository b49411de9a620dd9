import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../base/errors.ts";
import { type Tensor, add, gather, showShape } from "../graph/index.ts";
import { selfAttention } from "../nn/index.ts";
import { attentionContext, cachePlan, weightsIn } from "./decoder.ts";
import type { Model, ParameterSource } from "./model.ts";
import { type TraceOptions, traceModel } from "./trace.ts";

const sizes = {
  vocabularySize: 10,
  window: 64,
  width: 8,
  forwardWidth: 12,
  layers: 3,
  heads: 2,
  kvHeads: 1,
  headSize: 4,
  epsilon: 1e-5,
};
const matrix = (rows: number, columns: number): ParameterSource => ({ vector: false, rows, columns, pieces: [] });
const parameters = new Map<string, ParameterSource>([["embedding.weight", matrix(10, 8)]]);
for (const part of ["query", "key", "value", "output"]) {
  parameters.set(`attention.${part}.weight`, matrix(part === "query" || part === "output" ? 8 : 4, 8));
}
const plan = cachePlan([16, undefined, 16], sizes);

/** Three layers of attention with the same weights; the first and the last slide. */
const model: Model = {
  ...sizes,
  family: "small",
  cacheGroups: plan.groups,
  ropes: [{ name: "main", frequencies: Float64Array.of(1, 0.1), magnitude: 1 }],
  parameters,
  ignored: new Map(),
  weightRows: [],
  heads: { logits: (hidden) => hidden },
  forward(x): Tensor {
    const weights = weightsIn(parameters, x);
    let h = gather(weights.get("embedding.weight"), x.ids);
    for (let layer = 0; layer < 3; layer++) {
      h = x.tap(`hidden.${layer}`, h);
      const { window } = plan.ofLayer[layer];
      const context = attentionContext(x, plan, layer, "main");
      h = add(h, selfAttention(h, weights.at("attention"), { ...sizes, window }, context));
    }
    return gather(h, x.outputRows);
  },
};
const options: TraceOptions = {
  rows: 32,
  sequences: 4,
  outputRows: 2,
  pages: 8,
  pageSize: 16,
  slots: { full: 128, window: 64 },
  kvType: "f16",
};

const shown = (leaves: ReadonlyMap<string, Tensor>): Record<string, string> =>
  Object.fromEntries([...leaves].map(([name, { shape, type }]) => [name, `${showShape(shape)} ${type}`]));

describe("a traced model", () => {
  const traced = traceModel(model, options);

  test("has the inputs by which the engine calls it", () => {
    assert.deepEqual(shown(traced.inputs), {
      ids: "[rows<=32] i32",
      positions: "[rows<=32] i32",
      sequences: "[rows<=32] i32",
      outputRows: "[outputRows<=2] i32",
      "pages.window": "[sequences<=4, pages<=8] i32",
      "pages.full": "[sequences<=4, pages<=8] i32",
      "slots.window": "[rows<=32] i32",
      "slots.full": "[rows<=32] i32",
      "rope.main.cos": "[rows<=32, 2] f32",
      "rope.main.sin": "[rows<=32, 2] f32",
    });
  });

  test("keeps keys and values of each group's layers, numbered inside the group", () => {
    assert.deepEqual(shown(traced.states), {
      "kv.window.0.keys": "[64, 4] f16",
      "kv.window.0.values": "[64, 4] f16",
      "kv.full.0.keys": "[128, 4] f16",
      "kv.full.0.values": "[128, 4] f16",
      "kv.window.1.keys": "[64, 4] f16",
      "kv.window.1.values": "[64, 4] f16",
    });
  });

  test("traces each weight once, whoever reads it", () => {
    assert.deepEqual([...traced.parameters.keys()].sort(), [...parameters.keys()].sort());
    assert.equal(traced.outputs.logits.shape[1], 8);
  });

  test("gives taps when they are asked for, and says which there are", () => {
    assert.deepEqual(Object.keys(traced.outputs), ["logits", "logits.peaks"]);
    assert.deepEqual(Object.keys(traceModel(model, { ...options, taps: ["hidden.2"] }).outputs), [
      "logits",
      "logits.peaks",
      "hidden.2",
    ]);
    assert.throws(
      () => traceModel(model, { ...options, taps: ["hidden.9"] }),
      (error) => error instanceof UsageError && /hidden.0, hidden.1, hidden.2/.test(error.message),
    );
  });
});
