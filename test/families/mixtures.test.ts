// Mixtures of experts as they are published: configs with the exact options of real checkpoints are read, GGUF has experts
// stacked or, in old files, apart, four-bit blocks lie in two tensors, and a token's share of the weights is counted.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { dequantizedFiles } from "../../src/format/quantized-tensors.ts";
import { type GgufEntry } from "../../src/format/gguf-types.ts";
import { tensorAccess } from "../../src/format/tensor-source.ts";
import { memorySource } from "../../src/base/source.ts";
import { newModel } from "../../src/models/index.ts";
import { type CaseName, caseFiles, readGolden } from "./cases.ts";
import { assertClose } from "./golden.ts";
import { type Tensors, type Values, allTensors, ggufFiles, openFiles } from "./memory-files.ts";
import { createRunner } from "./runner.ts";

/** What published config.json files say, but for what no model is made of (token ids, dropout, dtypes). */
const published = {
  "Mixtral 8x7B": {
    model_type: "mixtral",
    hidden_act: "silu",
    hidden_size: 4096,
    intermediate_size: 14336,
    max_position_embeddings: 32768,
    num_attention_heads: 32,
    num_experts_per_tok: 2,
    num_hidden_layers: 32,
    num_key_value_heads: 8,
    num_local_experts: 8,
    output_router_logits: false,
    rms_norm_eps: 1e-5,
    rope_theta: 1000000,
    router_aux_loss_coef: 0.02,
    sliding_window: null,
    tie_word_embeddings: false,
    vocab_size: 32000,
  },
  "Qwen1.5 MoE A2.7B": {
    model_type: "qwen2_moe",
    decoder_sparse_step: 1,
    hidden_act: "silu",
    hidden_size: 2048,
    intermediate_size: 5632,
    max_position_embeddings: 8192,
    max_window_layers: 21,
    moe_intermediate_size: 1408,
    norm_topk_prob: false,
    num_attention_heads: 16,
    num_experts: 60,
    num_experts_per_tok: 4,
    num_hidden_layers: 24,
    num_key_value_heads: 16,
    output_router_logits: false,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    router_aux_loss_coef: 0.001,
    shared_expert_intermediate_size: 5632,
    sliding_window: 32768,
    tie_word_embeddings: false,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  "Qwen3 30B A3B": {
    model_type: "qwen3_moe",
    attention_bias: false,
    decoder_sparse_step: 1,
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 2048,
    intermediate_size: 6144,
    max_position_embeddings: 40960,
    max_window_layers: 48,
    mlp_only_layers: [],
    moe_intermediate_size: 768,
    norm_topk_prob: true,
    num_attention_heads: 32,
    num_experts: 128,
    num_experts_per_tok: 8,
    num_hidden_layers: 48,
    num_key_value_heads: 4,
    output_router_logits: false,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1000000,
    router_aux_loss_coef: 0.001,
    sliding_window: null,
    tie_word_embeddings: false,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  "Hunyuan A13B": {
    model_type: "hunyuan_v1_moe",
    attention_bias: false,
    attention_head_dim: 128,
    cla_share_factor: 2,
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 4096,
    intermediate_size: 3072,
    max_position_embeddings: 32768,
    mlp_bias: false,
    moe_drop_tokens: false,
    moe_intermediate_size: Array<number>(32).fill(3072),
    moe_layer_num_skipped: 0,
    moe_topk: Array<number>(32).fill(8),
    norm_topk_prob: true,
    num_attention_heads: 32,
    num_experts: 64,
    num_hidden_layers: 32,
    num_key_value_heads: 8,
    num_shared_expert: Array<number>(32).fill(1),
    rms_norm_eps: 1e-5,
    rope_scaling: {
      alpha: 1000,
      beta_fast: 32,
      beta_slow: 1,
      factor: 1,
      mscale: 1,
      mscale_all_dim: 1,
      type: "dynamic",
    },
    rope_theta: 10000,
    tie_word_embeddings: true,
    use_cla: false,
    use_mixed_mlp_moe: true,
    use_qk_norm: true,
    vocab_size: 128167,
  },
  "gpt-oss 20B": {
    model_type: "gpt_oss",
    attention_bias: true,
    experts_per_token: 4,
    head_dim: 64,
    hidden_act: "silu",
    hidden_size: 2880,
    initial_context_length: 4096,
    intermediate_size: 2880,
    layer_types: Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? "sliding_attention" : "full_attention")),
    max_position_embeddings: 131072,
    num_attention_heads: 64,
    num_experts_per_tok: 4,
    num_hidden_layers: 24,
    num_key_value_heads: 8,
    num_local_experts: 32,
    output_router_logits: false,
    rms_norm_eps: 1e-5,
    rope_scaling: {
      beta_fast: 32,
      beta_slow: 1,
      factor: 32,
      original_max_position_embeddings: 4096,
      rope_type: "yarn",
      truncate: false,
    },
    rope_theta: 150000,
    router_aux_loss_coef: 0.9,
    sliding_window: 128,
    swiglu_limit: 7,
    tie_word_embeddings: false,
    vocab_size: 201088,
  },
} as const;

/** Billions of weights, and of those that a token goes through, as the makers have them. */
const sizes: Readonly<Record<keyof typeof published, readonly [number, number]>> = {
  "Mixtral 8x7B": [46.7, 12.9],
  "Qwen1.5 MoE A2.7B": [14.3, 2.7],
  "Qwen3 30B A3B": [30.5, 3.3],
  "Hunyuan A13B": [80.4, 13],
  "gpt-oss 20B": [20.9, 4.2],
};

describe("published configs", () => {
  for (const [name, config] of Object.entries(published) as [keyof typeof published, Record<string, unknown>][]) {
    test(`${name}: as many weights as its makers say, and of them for a token`, () => {
      const { parameters } = newModel(config);
      let [all, active] = [0, 0];
      for (const { rows, columns, matrices = 1, chosen = matrices } of parameters.values()) {
        all += rows * columns;
        active += (rows * columns * chosen) / matrices;
      }
      const [ofAll, ofToken] = sizes[name];
      assert.ok(Math.abs(all / 1e9 / ofAll - 1) < 0.01, `${all}`);
      // makers count a token's weights with the embedding or without
      assert.ok(Math.abs(active / 1e9 - ofToken) < 0.7, `${active}`);
    });
  }

  test("a layer of experts is every so many, but for those that are named", () => {
    const config = {
      ...published["Qwen3 30B A3B"],
      decoder_sparse_step: 2,
      mlp_only_layers: [3],
      num_hidden_layers: 6,
    };
    const { parameters } = newModel(config);
    const sparse = [0, 1, 2, 3, 4, 5].filter((layer) => parameters.has(`layers.${layer}.experts.gate.weight`));
    assert.deepEqual(sparse, [1, 5]);
    assert.ok(parameters.has("layers.3.mlp.gate.weight"));
  });

  test("layers may choose different numbers of experts", () => {
    const config = { ...published["Hunyuan A13B"], moe_topk: [8, 4, 2], num_hidden_layers: 3 };
    const { parameters } = newModel(config);
    const chosen = [0, 1, 2].map((layer) => parameters.get(`layers.${layer}.experts.up.weight`)?.chosen);
    assert.deepEqual(chosen, [8, 4, 2]);
  });

  test("what is not done is refused by name", () => {
    const refused = [
      { ...published["Mixtral 8x7B"], hidden_act: "gelu" },
      { ...published["Hunyuan A13B"], moe_layer_num_skipped: 1 },
      { ...published["Hunyuan A13B"], num_shared_expert: Array<number>(32).fill(2) },
      { ...published["Hunyuan A13B"], moe_intermediate_size: 1536 },
    ];
    for (const config of refused) assert.throws(() => newModel(config), UnsupportedError);
  });
});

const numbers = (
  config: Readonly<Record<string, unknown>>,
  keys: Readonly<Record<string, string>>,
  type: "u32" | "f32",
) => Object.entries(keys).map(([key, from]): [string, GgufEntry] => [key, { type, value: config[from] as number }]);

/** What GGUF calls a tensor of a case, as llama.cpp's converter has it; `stacked` joins experts. */
function ggufTensors(
  tensors: Tensors,
  names: Readonly<Record<string, string>>,
  isStacked: boolean,
): Map<string, Values> {
  const result = new Map<string, Values>();
  const stacks = new Map<string, Values[]>();
  for (const [name, tensor] of tensors) {
    const layer = /layers\.(\d+)\./.exec(name)?.[1] ?? "";
    const expert = /experts\.(\d+)\./.exec(name)?.[1];
    const [, stem, ending] = /^(.*)\.(weight|bias)$/.exec(
      name.replace(/layers\.\d+/, "layers.N").replace(/experts\.\d+/, "experts.E"),
    )!;
    const to = `${names[stem].replace("N", layer)}.${ending}`;
    if (expert === undefined) result.set(to, tensor);
    else if (isStacked) stacks.set(to, [...(stacks.get(to) ?? []), tensor]);
    else result.set(to.replace("_exps.", `.${expert}.`), tensor);
  }
  for (const [to, all] of stacks) {
    const values = new Float32Array(all.flatMap((tensor) => [...tensor.values]));
    result.set(to, { shape: [all.length, ...all[0].shape], values });
  }
  return result;
}

const attention = Object.fromEntries(
  ["q", "k", "v"].map((part) => [`model.layers.N.self_attn.${part}_proj`, `blk.N.attn_${part}`]),
);
const common = {
  ...attention,
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  "model.layers.N.self_attn.o_proj": "blk.N.attn_output",
  "model.layers.N.self_attn.q_norm": "blk.N.attn_q_norm",
  "model.layers.N.self_attn.k_norm": "blk.N.attn_k_norm",
  "model.layers.N.input_layernorm": "blk.N.attn_norm",
  "model.layers.N.post_attention_layernorm": "blk.N.ffn_norm",
  "model.layers.N.mlp.gate": "blk.N.ffn_gate_inp",
  "model.layers.N.mlp.experts.E.gate_proj": "blk.N.ffn_gate_exps",
  "model.layers.N.mlp.experts.E.up_proj": "blk.N.ffn_up_exps",
  "model.layers.N.mlp.experts.E.down_proj": "blk.N.ffn_down_exps",
};

describe("experts in GGUF", () => {
  for (const isStacked of [true, false]) {
    test(`${isStacked ? "in one tensor" : "apart, as in old files"} give the golden logits of qwen3_moe`, async () => {
      const name: CaseName = "qwen3_moe";
      await using files = await caseFiles(name, "config.legacy.json");
      const sizes = {
        "qwen3moe.context_length": "max_position_embeddings",
        "qwen3moe.embedding_length": "hidden_size",
        "qwen3moe.block_count": "num_hidden_layers",
        "qwen3moe.feed_forward_length": "intermediate_size",
        "qwen3moe.attention.head_count": "num_attention_heads",
        "qwen3moe.attention.head_count_kv": "num_key_value_heads",
        "qwen3moe.attention.key_length": "head_dim",
        "qwen3moe.attention.value_length": "head_dim",
        "qwen3moe.expert_count": "num_local_experts",
        "qwen3moe.expert_used_count": "num_experts_per_tok",
        "qwen3moe.expert_feed_forward_length": "moe_intermediate_size",
      };
      const floats = {
        "qwen3moe.attention.layer_norm_rms_epsilon": "rms_norm_eps",
        "qwen3moe.rope.freq_base": "rope_theta",
      };
      const entries = new Map<string, GgufEntry>([
        ["general.architecture", { type: "string", value: "qwen3moe" }],
        ...numbers(files.config, sizes, "u32"),
        ...numbers(files.config, floats, "f32"),
      ]);
      const gguf = await ggufFiles(entries, ggufTensors(await allTensors(files), common, isStacked));
      const { model, store } = await openFiles(gguf);
      await using runner = await createRunner(referenceExecutor, store, model);
      const golden = await readGolden(name);
      const { logits } = await runner.run([{ sequence: 0, ids: golden.i32.input_ids_b }]);
      // epsilon and the rope's base are f32 in GGUF, which moves little
      assertClose(logits, golden.f32.logits_b, 1.25 * golden.logitTolerance, "logits_b");
    });
  }
});

describe("four-bit floats in two tensors", () => {
  const [experts, rows, blocks] = [2, 3, 2];
  const scales = Uint8Array.from({ length: experts * rows * blocks }, (_, i) => 120 + (i % 9));
  const codes = Uint8Array.from({ length: scales.length * 16 }, (_, i) => Math.floor(uniform(5, 0, i) * 256));
  /** By the floats' definition: a sign, two bits of exponent, one of mantissa. */
  const levels = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  const valueOf = (i: number): number => {
    const code = (codes[Math.floor(i / 2)] >> (4 * (i % 2))) & 15;
    return (code & 8 ? -1 : 1) * levels[code & 7] * 2 ** (scales[Math.floor(i / 32)] - 127);
  };

  test("are one stack of matrices, of the same values, whatever is read of it", async () => {
    const placed = [
      { name: "w_blocks", shape: [experts, rows, blocks, 16], bytes: codes },
      { name: "w_scales", shape: [experts, rows, blocks], bytes: scales },
    ].map(({ name, shape, bytes }) => ({
      name,
      shape,
      typeName: "u8",
      format: undefined,
      byteLength: bytes.byteLength,
      source: memorySource(name, bytes),
      offset: 0,
    }));
    const config = { quantization_config: { quant_method: "mxfp4", modules_to_not_convert: ["lm_head"] } };
    const files = await dequantizedFiles({ ...tensorAccess("folder", [], placed), kind: "hf", config });
    const tensor = files.tensors.get("w")!;
    assert.deepEqual([tensor.shape, tensor.format], [[experts, rows, blocks * 32], "mxfp4"]);
    const { formats } = await import("../../src/numeric/registry.ts");
    const bytes = new Uint8Array(tensor.byteLength!);
    await files.read("w", 0, bytes);
    const found = formats.mxfp4.decode(bytes, experts * rows * blocks * 32);
    assert.deepEqual(
      [...found].map((value) => value + 0),
      Array.from(found, (_, i) => valueOf(i) + 0),
    );
    const part = new Uint8Array(40);
    await files.read("w", 7, part);
    assert.deepEqual(part, bytes.subarray(7, 47));
  });
});
