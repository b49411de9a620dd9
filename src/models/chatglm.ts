// ChatGLM 2, 3 and the first release of GLM-4 (Zeng et al. 2022, GLM team 2024): glm's forward pass under other names, with
// query, key and value in one tensor. llama.cpp calls glm by this name too, whose three are tensors of their own.
import { Config } from "./config.ts";
import { checked, hfRefusals } from "./decoder.ts";
import { ROTATED, glmRows, readGguf } from "./glm.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";
import { ropeTable } from "./rope-config.ts";

export function chatglm(facts: ModelFacts): Model {
  if (facts.kind === "hf") return chatglmModel(facts, readHf(facts));
  if (facts.tensors.has("blk.0.attn_qkv.weight")) return chatglmModel(facts, readGguf(facts, "chatglm", "chatglm"));
  const shape = readGguf(facts, "glm", "chatglm");
  return llamaModel(facts, shape, glmRows(shape));
}

const chatglmModel = (facts: ModelFacts, shape: LlamaShape): Model => llamaModel(facts, shape, chatglmRows(shape));

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({
    ...hfRefusals,
    add_bias_linear: [false],
    apply_residual_connection_post_layernorm: [false],
    interleaved_qkv: [false],
    original_rope: [true],
    position_encoding_2d: [false],
    post_layer_norm: [true],
    pre_seq_len: [],
    quantization_bit: [0],
    rmsnorm: [true],
    rope_scaling: [],
  });
  const [width, heads] = [config.size("hidden_size"), config.size("num_attention_heads")];
  const layers = config.size("num_layers");
  const headSize = config.size("kv_channels", width / heads);
  const sizes = checked(config, facts, "num_layers", {
    vocabularySize: config.size("padded_vocab_size"),
    window: config.size("seq_length"),
    width,
    forwardWidth: config.size("ffn_hidden_size"),
    layers,
    heads,
    kvHeads: config.boolean("multi_query_attention", false) ? config.size("multi_query_group_num") : heads,
    headSize,
    epsilon: config.number("layernorm_epsilon", 1e-5),
  });
  return {
    family: "chatglm",
    sizes,
    rope: ropeTable("main", 10_000 * config.number("rope_ratio", 1), headSize * ROTATED, { type: "none" }),
    biases: { qkv: config.boolean("add_qkv_bias", false), output: false, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
  };
}

/** HF's names of what glm's are. */
const names: Readonly<Record<string, string>> = {
  "model.embed_tokens": "transformer.embedding.word_embeddings",
  "model.norm": "transformer.encoder.final_layernorm",
  lm_head: "transformer.output_layer",
  "self_attn.o_proj": "self_attention.dense",
  "mlp.gate_up_proj": "mlp.dense_h_to_4h",
  "mlp.down_proj": "mlp.dense_4h_to_h",
  "self_attn.q_proj": "self_attention.query_key_value",
  "self_attn.k_proj": "self_attention.query_key_value",
  "self_attn.v_proj": "self_attention.query_key_value",
};

function chatglmRows(shape: LlamaShape): WeightRow[] {
  const { heads, kvHeads, headSize } = shape.sizes;
  const [query, key] = [heads * headSize, kvHeads * headSize];
  const firsts: Readonly<Record<string, number>> = { query: 0, key: query, value: query + key };
  return glmRows(shape).map((row) => {
    const [, layer = "", name, ending] = /^(model\.layers\.\d+\.)?(.+)\.(weight|bias)$/.exec(row.hf)!;
    const hf = `${layer.replace("model.", "transformer.encoder.")}${names[name] ?? name}.${ending}`;
    const part = /attention\.(query|key|value)\./.exec(row.parameter)?.[1];
    if (part === undefined) return { ...row, hf };
    const gguf = row.gguf!.replace(/attn_[qkv]\./, "attn_qkv.");
    return { ...row, hf, gguf, part: { first: firsts[part], of: query + 2 * key } };
  });
}
