// DeepSeek's generations beyond the golden suite: GGUF files of both forms, the configs of published checkpoints, and what
// is kept of a token.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsupportedError } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import type { GgufEntry } from "../../src/format/gguf-types.ts";
import { type Model, newModel } from "../../src/models/index.ts";
import { caseFiles, readGolden } from "./cases.ts";
import { assertClose, largestDifference } from "./golden.ts";
import { type Tensors, type Values, allTensors, ggufFiles, hfFiles, openFiles } from "./memory-files.ts";
import { createRunner } from "./runner.ts";

// As other families from GGUF (gguf.test.ts): ε and the rope's base are f32 there.
const FACTOR = 1.25;

const NAMES: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  post_attention_layernorm: "ffn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.q_a_proj": "attn_q_a",
  "self_attn.q_a_layernorm": "attn_q_a_norm",
  "self_attn.q_b_proj": "attn_q_b",
  "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
  "self_attn.kv_a_layernorm": "attn_kv_a_norm",
  "self_attn.kv_b_proj": "attn_kv_b",
  "self_attn.o_proj": "attn_output",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  "mlp.gate": "ffn_gate_inp",
  "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
  "mlp.shared_experts.up_proj": "ffn_up_shexp",
  "mlp.shared_experts.down_proj": "ffn_down_shexp",
};

type Config = Readonly<Record<string, number>>;

/** Metadata that both forms have, by llama.cpp's converter. */
function metadata(config: Config, isAbsorbed: boolean): Map<string, GgufEntry> {
  const count = (value: number): GgufEntry => ({ type: "u32", value });
  const real = (value: number): GgufEntry => ({ type: "f32", value });
  const heads = config.num_attention_heads;
  const [latent, rotated, plain] = [config.kv_lora_rank, config.qk_rope_head_dim, config.qk_nope_head_dim];
  const isSigmoid = String(config.model_type) === "deepseek_v3";
  const own: Record<string, GgufEntry> = isAbsorbed
    ? {
        "attention.head_count_kv": count(1),
        "attention.key_length": count(latent + rotated),
        "attention.value_length": count(latent),
        "attention.key_length_mla": count(plain + rotated),
        "attention.value_length_mla": count(config.v_head_dim),
      }
    : {
        "attention.head_count_kv": count(heads),
        "attention.key_length": count(plain + rotated),
        "attention.value_length": count(config.v_head_dim),
      };
  const entries: Record<string, GgufEntry> = {
    context_length: count(config.max_position_embeddings),
    embedding_length: count(config.hidden_size),
    block_count: count(config.num_hidden_layers),
    feed_forward_length: count(config.intermediate_size),
    "attention.head_count": count(heads),
    "attention.layer_norm_rms_epsilon": real(config.rms_norm_eps),
    "rope.freq_base": real(config.rope_theta),
    "rope.dimension_count": count(rotated),
    "attention.kv_lora_rank": count(latent),
    ...(config.q_lora_rank !== null && { "attention.q_lora_rank": count(config.q_lora_rank) }),
    leading_dense_block_count: count(config.first_k_dense_replace),
    expert_count: count(config.n_routed_experts),
    expert_used_count: count(config.num_experts_per_tok),
    expert_shared_count: count(config.n_shared_experts),
    expert_feed_forward_length: count(config.moe_intermediate_size),
    expert_weights_scale: real(config.routed_scaling_factor),
    expert_weights_norm: { type: "bool", value: isSigmoid },
    expert_gating_func: count(isSigmoid ? 2 : 1),
    expert_group_count: count(config.n_group),
    expert_group_used_count: count(config.topk_group),
    ...own,
  };
  const all = Object.entries(entries).map(([key, entry]): [string, GgufEntry] => [`deepseek2.${key}`, entry]);
  return new Map<string, GgufEntry>([["general.architecture", { type: "string", value: "deepseek2" }], ...all]);
}

/** The rows of a fused tensor's heads from `first` on, turned over or not, as one tensor of matrices. */
function ofHeads({ shape, values }: Values, heads: number, first: number, count: number, isTurned: boolean): Values {
  const [rows, columns] = shape;
  const of = rows / heads;
  const [outer, inner] = isTurned ? [columns, count] : [count, columns];
  const result = new Float32Array(heads * outer * inner);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        const [row, column] = isTurned ? [j, i] : [i, j];
        result[(head * outer + i) * inner + j] = values[(head * of + first + row) * columns + column];
      }
    }
  }
  return { shape: [heads, outer, inner], values: result };
}

/** The tensors as llama.cpp's converter names and stacks them. */
function twin(config: Config, hf: Tensors, isAbsorbed: boolean): Map<string, Values> {
  const tensors = new Map<string, Values>();
  const stacks = new Map<string, Values[]>();
  for (const [hfName, tensor] of hf) {
    const [, layer, inLayer] = /^model\.layers\.(\d+)\.(.*)$/.exec(hfName) ?? [];
    const prefix = layer === undefined ? "" : `blk.${layer}.`;
    const name = inLayer ?? hfName;
    const [, expert, part] = /^mlp\.experts\.(\d+)\.(\w+)_proj\.weight$/.exec(name) ?? [];
    if (expert !== undefined) {
      const stack = stacks.get(`${prefix}ffn_${part}_exps.weight`) ?? [];
      stack[Number(expert)] = tensor;
      stacks.set(`${prefix}ffn_${part}_exps.weight`, stack);
    } else if (name === "mlp.gate.e_score_correction_bias") tensors.set(`${prefix}exp_probs_b.bias`, tensor);
    else if (name === "self_attn.kv_b_proj.weight" && isAbsorbed) {
      const { num_attention_heads: heads, qk_nope_head_dim: plain, v_head_dim: values } = config;
      tensors.set(`${prefix}attn_k_b.weight`, ofHeads(tensor, heads, 0, plain, true));
      tensors.set(`${prefix}attn_v_b.weight`, ofHeads(tensor, heads, plain, values, false));
    } else tensors.set(`${prefix}${NAMES[name.replace(/\.weight$/, "")]}.weight`, tensor);
  }
  for (const [name, stack] of stacks) {
    const values = Float32Array.from(stack.flatMap((tensor) => Array.from(tensor.values)));
    tensors.set(name, { shape: [stack.length, ...stack[0].shape], values });
  }
  return tensors;
}

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
        const config = files.config as Config;
        const tensors = twin(config, await allTensors(files), isAbsorbed);
        const golden = await readGolden(name);
        const { input_ids_b: ids } = golden.i32;
        const logits = await logitsOf(await ggufFiles(metadata(config, isAbsorbed), tensors), ids);
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
