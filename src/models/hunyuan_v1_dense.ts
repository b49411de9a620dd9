// Hunyuan dense (Tencent 2025): llama with an RMSNorm over each query and key head after the rotation, and a rope whose
// base is stretched by a fixed alpha.
import { Config } from "./config.ts";
import { ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel, llamaRows } from "./llama.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** Options of both kinds of config that would change the result. */
export const hunyuanRefusals = { hidden_act: ["silu"], use_qk_norm: [true], use_cla: [false], mlp_bias: [false] };

export function hunyuanV1Dense(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  return llamaModel(facts, shape, hunyuanRows(shape));
}

/** llama's, but for the names of the head norms in HF. */
export const hunyuanRows = (shape: LlamaShape): WeightRow[] =>
  llamaRows(shape).map((row) => ({
    ...row,
    hf: row.hf
      .replace("self_attn.q_norm", "self_attn.query_layernorm")
      .replace("self_attn.k_norm", "self_attn.key_layernorm"),
  }));

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, ...hunyuanRefusals });
  const sizes = hfSizes(config, facts);
  const bias = config.boolean("attention_bias", false);
  return {
    family: "hunyuan_v1_dense",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    headNorms: "after",
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "hunyuan-dense.");
  config.only(ggufRefusals);
  const sizes = ggufSizes(config, facts);
  return {
    family: "hunyuan_v1_dense",
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: false },
    tied: "optional",
    headNorms: "after",
  };
}
