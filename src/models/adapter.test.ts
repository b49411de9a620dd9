// What adapters' files may say: names and shapes of both kinds, scales, and refusals that name what was found.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { type AdapterPlan, projectionsOf, readAdapter } from "./adapter.ts";
import type { FileTensor } from "./model.ts";
import { newModel } from "./registry.ts";

const sizes = {
  model_type: "llama",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
};
const model = newModel(sizes);
const lora = { peft_type: "LORA", r: 4, lora_alpha: 8, bias: "none", modules_to_save: null };
const QUERY = "base_model.model.model.layers.0.self_attn.q_proj.lora_";

function read(kind: "hf" | "gguf", config: object, shapes: Record<string, number[]>): AdapterPlan {
  const tensors = new Map(
    Object.entries(shapes).map(([name, shape]): [string, FileTensor] => [name, { name, shape, format: "f32" }]),
  );
  return readAdapter({ file: "the adapter", kind, config: { ...config }, tensors }, model);
}
const query = { [`${QUERY}A.weight`]: [4, 16], [`${QUERY}B.weight`]: [16, 4] };
const peft = (config: object, shapes: Record<string, number[]> = query): AdapterPlan =>
  read("hf", { ...lora, ...config }, shapes);

const refuses = (attempt: () => unknown, kind: new (...args: never[]) => Error, words: RegExp): void =>
  assert.throws(attempt, (error) => error instanceof kind && words.test(error.message));

describe("an adapter's files", () => {
  test("the forward pass itself says which projections a model has", () => {
    const parts = ["attention.query", "attention.key", "attention.value", "attention.output"];
    const all = [...parts, "mlp.gate", "mlp.up", "mlp.down"];
    assert.deepEqual(
      projectionsOf(model),
      [0, 1].flatMap((layer) => all.map((part) => `layers.${layer}.${part}`)),
    );
  });

  test("PEFT's names, with and without the prefix of a model below a head", () => {
    const plan = peft({});
    assert.deepEqual([...plan.keys()], ["layers.0.attention.query"]);
    const { rank, inner, outer, scale } = plan.get("layers.0.attention.query")!;
    assert.deepEqual([rank, inner, outer, scale], [4, 16, 16, 2]);
    const below = "base_model.model.layers.1.mlp.down_proj.lora_";
    const down = peft({}, { [`${below}A.weight`]: [4, 24], [`${below}B.weight`]: [16, 4] });
    assert.deepEqual([...down.keys()], ["layers.1.mlp.down"]);
  });

  test("scales: alpha over the rank, its root, and those of modules by name", () => {
    const scale = (config: object): number => peft(config).get("layers.0.attention.query")!.scale;
    assert.equal(scale({ use_rslora: true }), 4);
    assert.equal(scale({ alpha_pattern: { q_proj: 2 } }), 0.5);
    assert.equal(scale({ alpha_pattern: { "model.layers.0.self_attn.q_proj": 1, v_proj: 3 } }), 0.25);
    assert.equal(scale({ r: 8, rank_pattern: { "self_attn.q_proj": 4 } }), 2);
    refuses(() => peft({ r: 8 }), FormatError, /rank of model\.layers\.0\.self_attn\.q_proj is 4, expected 8/);
    refuses(() => peft({ alpha_pattern: { ".*_proj": 2 } }), FormatError, /alpha_pattern/);
  });

  test("llama.cpp's names, whose rows of queries lie in pairs; without a scale alpha is the rank", () => {
    const names = { "blk.1.attn_q.weight.lora_a": [4, 16], "blk.1.attn_q.weight.lora_b": [16, 4] };
    const gguf = (config: object): AdapterPlan => read("gguf", { "general.type": "adapter", ...config }, names);
    const plan = gguf({ "adapter.type": "lora", "adapter.lora.alpha": 16 });
    const { scale, rowAt } = plan.get("layers.1.attention.query")!;
    assert.equal(scale, 4);
    assert.deepEqual(
      Array.from({ length: 8 }, (_, i) => rowAt(i)),
      [0, 2, 1, 3, 4, 6, 5, 7],
    );
    assert.equal(gguf({ "adapter.lora.alpha": 0 }).get("layers.1.attention.query")!.scale, 1);
    refuses(() => read("gguf", {}, names), FormatError, /general\.type is "model", expected "adapter"/);
    refuses(() => gguf({ "adapter.type": "other" }), UnsupportedError, /adapter\.type is "other"/);
  });

  test("magnitudes as old and new versions of PEFT store them", () => {
    for (const [name, shape] of [
      ["magnitude_vector", [16]],
      ["magnitude_vector.weight", [16, 1]],
    ] as const) {
      const plan = peft({ use_dora: true }, { ...query, [`${QUERY}${name}`]: [...shape] });
      assert.equal(plan.get("layers.0.attention.query")!.magnitude, `${QUERY}${name}`);
    }
    const short = { ...query, [`${QUERY}magnitude_vector`]: [15] };
    refuses(() => peft({ use_dora: true }, short), FormatError, /magnitude_vector is \[15\], expected \[16\]/);
  });

  test("shapes of another model, and half an adapter, are told with what was expected", () => {
    const other = { [`${QUERY}A.weight`]: [4, 32], [`${QUERY}B.weight`]: [32, 4] };
    refuses(
      () => peft({}, other),
      FormatError,
      /q_proj\.lora_A\.weight is \[4, 32\], expected \[4, 16\].*another model/,
    );
    const half = { [`${QUERY}A.weight`]: [4, 16] };
    refuses(() => peft({}, half), FormatError, /q_proj\.lora_B\.weight is "missing", expected \[16, 4\]/);
    refuses(() => peft({}, {}), FormatError, /tensors is "none"/);
  });

  test("what is no projection is named, with what the model has", () => {
    const embedding = { ...query, "base_model.model.model.embed_tokens.lora_embedding_A": [4, 32] };
    refuses(() => peft({}, embedding), UnsupportedError, /1 tensors.*embed_tokens\.lora_embedding_A.*attention\.query/);
  });

  test("what cannot be attached is refused by its name", () => {
    refuses(() => peft({ peft_type: "IA3" }), UnsupportedError, /peft_type is "IA3"/);
    refuses(() => peft({ bias: "all" }), UnsupportedError, /bias is "all"/);
    refuses(() => peft({ modules_to_save: ["lm_head"] }), UnsupportedError, /modules_to_save is \["lm_head"\]/);
    refuses(() => peft({ init_lora_weights: "pissa" }), UnsupportedError, /init_lora_weights is "pissa"/);
    assert.equal(peft({ modules_to_save: [], init_lora_weights: true }).size, 1);
  });
});
