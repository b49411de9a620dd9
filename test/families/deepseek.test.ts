// DeepSeek's generations beyond the golden suite: GGUF files of both forms, the configs of published checkpoints, and what
// is kept of a token.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsupportedError } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type Model, newModel } from "../../src/models/index.ts";
import { caseFiles, readGolden } from "./cases.ts";
import { latentTwin } from "./deepseek-twin.ts";
import { type HfConfig, ggufTwin } from "./gguf-twin.ts";
import { assertClose, largestDifference } from "./golden.ts";
import { type Tensors, type Values, allTensors, ggufFiles, hfFiles, openFiles } from "./memory-files.ts";
import { createRunner } from "./runner.ts";

// As other families from GGUF (gguf.test.ts): ε and the rope's base are f32 there.
const FACTOR = 1.25;

async function logitsOf(files: Parameters<typeof openFiles>[0], ids: Int32Array): Promise<Float32Array> {
  const { model, store } = await openFiles(files);
  await using runner = await createRunner(referenceExecutor, store, model);
  return (await runner.run([{ sequence: 0, ids }])).logits;
}

describe("a GGUF file of deepseek2", () => {
  for (const name of ["deepseek_v2", "deepseek_v2-lite", "deepseek_v3"] as const) {
    for (const [form, isAbsorbed] of [
      ["heads' matrices apart", true],
      ["of older converters", false],
    ] as const) {
      test(`${name}, ${form}: gives the golden logits`, async () => {
        await using files = await caseFiles(name, "config.legacy.json");
        const { entries, tensors } = ggufTwin(
          latentTwin(isAbsorbed),
          files.config as HfConfig,
          await allTensors(files),
        );
        const golden = await readGolden(name);
        const { input_ids_b: ids } = golden.i32;
        const logits = await logitsOf(await ggufFiles(entries, tensors), ids);
        assertClose(logits, golden.f32.logits_b, FACTOR * golden.logitTolerance, "logits_b");
      });
    }
  }
});

describe("options", () => {
  const ids = Int32Array.from({ length: 12 }, (_, i) => (37 * i) % 320);
  const withConfig = async (
    changes: Readonly<Record<string, unknown>>,
    change = (tensors: Tensors): Tensors => tensors,
  ): Promise<Float32Array> => {
    await using files = await caseFiles("deepseek_v3", "config.legacy.json", changes);
    return await logitsOf(hfFiles(files.config, change(await allTensors(files))), ids);
  };

  test("without rope_interleave pairs are halves: the same with the rotated rows in another order", async () => {
    const order = [0, 4, 1, 5, 2, 6, 3, 7]; // where the halves of 8 rotated rows go as pairs
    const reordered = (tensor: Values, of: number): Values => {
      const [rows, columns] = tensor.shape;
      const first = of - order.length;
      const from = (row: number): number => {
        const inHead = row % of;
        return inHead < first ? row : row - inHead + first + order.indexOf(inHead - first);
      };
      const values = tensor.values.map(
        (_, i) => tensor.values[from(Math.floor(i / columns)) * columns + (i % columns)],
      );
      assert.equal(rows % of, 0);
      return { shape: tensor.shape, values };
    };
    const halves = await withConfig({ rope_interleave: false }, (tensors) => {
      const changed = new Map(tensors);
      for (const [name, tensor] of tensors) {
        if (name.includes("q_b_proj")) changed.set(name, reordered(tensor, 20));
        if (name.includes("kv_a_proj")) changed.set(name, reordered(tensor, 24));
      }
      return changed;
    });
    const plain = await withConfig({});
    assert.ok(largestDifference(halves, plain) < 1e-9, String(largestDifference(halves, plain)));
    assert.ok(largestDifference(await withConfig({ rope_interleave: false }), plain) > 0.001);
  });

  test("layers behind the model's are ignored, with a reason", async () => {
    await using files = await caseFiles("deepseek_v3", "config.legacy.json");
    const own = await allTensors(files);
    const all = new Map(own);
    for (const [name, tensor] of own) {
      if (name.startsWith("model.layers.2.")) all.set(name.replace(".2.", ".3."), tensor);
    }
    const { model } = await openFiles(hfFiles(files.config, all));
    assert.match(model.ignored.get("model.layers.3.input_layernorm.weight") ?? "", /further tokens/);
  });

  test("what would change the result is refused by name", () => {
    const refused = { scoring_func: "softmax", topk_method: "greedy", moe_layer_freq: 2, hidden_act: "gelu" };
    for (const [key, value] of Object.entries(refused)) {
      const isNamed = (error: unknown): boolean => error instanceof UnsupportedError && error.message.includes(key);
      assert.throws(() => newModel({ ...V3, [key]: value }), isNamed);
    }
  });
});

const yarn = { beta_fast: 32, beta_slow: 1, factor: 40, original_max_position_embeddings: 4096, type: "yarn" };
const common = {
  attention_bias: false,
  attention_dropout: 0,
  aux_loss_alpha: 0.001,
  ep_size: 1,
  hidden_act: "silu",
  initializer_range: 0.02,
  kv_lora_rank: 512,
  moe_layer_freq: 1,
  pretraining_tp: 1,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  seq_aux: true,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  use_cache: true,
  v_head_dim: 128,
};
const v2 = { ...common, model_type: "deepseek_v2", max_position_embeddings: 163840, vocab_size: 102400 };
const V2_LITE = {
  ...v2,
  first_k_dense_replace: 1,
  hidden_size: 2048,
  intermediate_size: 10944,
  moe_intermediate_size: 1408,
  n_group: 1,
  n_routed_experts: 64,
  n_shared_experts: 2,
  norm_topk_prob: false,
  num_attention_heads: 16,
  num_experts_per_tok: 6,
  num_hidden_layers: 27,
  num_key_value_heads: 16,
  q_lora_rank: null,
  rope_scaling: { ...yarn, mscale: 0.707, mscale_all_dim: 0.707 },
  routed_scaling_factor: 1,
  scoring_func: "softmax",
  topk_group: 1,
  topk_method: "greedy",
};
const V2 = {
  ...V2_LITE,
  hidden_size: 5120,
  intermediate_size: 12288,
  moe_intermediate_size: 1536,
  n_group: 8,
  n_routed_experts: 160,
  num_attention_heads: 128,
  num_hidden_layers: 60,
  num_key_value_heads: 128,
  q_lora_rank: 1536,
  routed_scaling_factor: 16,
  topk_group: 3,
  topk_method: "group_limited_greedy",
};
// the quantization_config that V3 and R1 come with is read before (format/fp8.ts)
const V3 = {
  ...common,
  model_type: "deepseek_v3",
  max_position_embeddings: 163840,
  vocab_size: 129280,
  first_k_dense_replace: 3,
  hidden_size: 7168,
  intermediate_size: 18432,
  moe_intermediate_size: 2048,
  n_group: 8,
  n_routed_experts: 256,
  n_shared_experts: 1,
  norm_topk_prob: true,
  num_attention_heads: 128,
  num_experts_per_tok: 8,
  num_hidden_layers: 61,
  num_key_value_heads: 128,
  num_nextn_predict_layers: 1,
  q_lora_rank: 1536,
  rope_scaling: { ...yarn, mscale: 1, mscale_all_dim: 1 },
  routed_scaling_factor: 2.5,
  scoring_func: "sigmoid",
  topk_group: 4,
  topk_method: "noaux_tc",
};
const MOONLIGHT = {
  ...V3,
  max_position_embeddings: 8192,
  vocab_size: 163840,
  first_k_dense_replace: 1,
  hidden_size: 2048,
  intermediate_size: 11264,
  moe_intermediate_size: 1408,
  n_group: 1,
  n_routed_experts: 64,
  n_shared_experts: 2,
  num_attention_heads: 16,
  num_experts_per_tok: 6,
  num_hidden_layers: 27,
  num_key_value_heads: 16,
  num_nextn_predict_layers: 0,
  q_lora_rank: null,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 50000,
  routed_scaling_factor: 2.446,
  topk_group: 1,
};

describe("a published config", () => {
  const parametersOf = ({ parameters }: Model): number =>
    [...parameters.values()].reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  // sizes in billions, as the checkpoints' cards have them
  const published = { V2_LITE: [V2_LITE, 15.7], V2: [V2, 235.7], V3: [V3, 671], MOONLIGHT: [MOONLIGHT, 16] } as const;
  for (const [name, [config, billions]] of Object.entries(published)) {
    test(`${name} makes a model of ${billions} billion weights that keeps 576 numbers of a token and layer`, () => {
      const model = newModel(config);
      assert.equal(Math.round(parametersOf(model) / 1e8) / 10, billions);
      const [group, ...others] = model.cacheGroups;
      assert.deepEqual(others, []);
      assert.equal(group.kvHeads * group.headSize, 576);
      assert.equal(group.valuesAreKeys, true);
      assert.equal(group.layers, config.num_hidden_layers);
    });
  }
});
