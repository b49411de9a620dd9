// GLM-4 as transformers has it (GLM team 2024), glm and glm4: llama with biases on query, key and value, a rope over the
// first half of each head in neighbouring pairs, gate and up in one tensor. glm4 has two more norms, of what each part gives.
// llama.cpp's converter calls glm "chatglm", whose reader is chatglm.ts.
import { Config } from "./config.ts";
import { type DecoderSizes, ggufRefusals, ggufSizes, hfRefusals, hfSizes, layerRow } from "./decoder.ts";
import { type LlamaShape, llamaModel, llamaRows } from "./llama.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** What is rotated of a head where a config does not say it. */
export const ROTATED = 0.5;

export function glm(facts: ModelFacts): Model {
  const shape = readHf(facts, "glm");
  return llamaModel(facts, shape, glmRows(shape));
}

export function glm4(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts, "glm4") : readGguf(facts, "glm4", "glm4");
  return llamaModel(facts, shape, [...glmRows(shape), ...outNorms(shape.sizes)]);
}

function readHf(facts: ModelFacts, family: string): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts, { headSize: 128 });
  return {
    family,
    sizes,
    rope: hfRope("main", config, sizes.headSize, { partial: ROTATED }),
    biases: { qkv: config.boolean("attention_bias", false), output: false, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
  };
}

/** The same of GGUF metadata, for `architecture`. */
export function readGguf(facts: ModelFacts, family: string, architecture: string): LlamaShape {
  const config = new Config(facts.file, facts.config, `${architecture}.`);
  config.only(ggufRefusals);
  const sizes = ggufSizes(config, facts);
  return {
    family,
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: false, mlp: false },
    tied: "optional",
  };
}

/** llama's, with queries and keys in the order of neighbours, and gate and up in one tensor. */
export function glmRows(shape: LlamaShape): WeightRow[] {
  const { headSize, forwardWidth } = shape.sizes;
  const rotated = 2 * shape.rope!.frequencies.length;
  return llamaRows(shape).map((row) => {
    if (/attention\.(query|key)\./.test(row.parameter)) return { ...row, interleaved: { headSize, rotated } };
    const half = /mlp\.(gate|up)\.weight$/.exec(row.parameter)?.[1];
    if (half === undefined) return row;
    return {
      ...row,
      hf: row.hf.replace(/(gate|up)_proj/, "gate_up_proj"),
      gguf: row.gguf!.replace("ffn_gate", "ffn_up"),
      part: { first: half === "gate" ? 0 : forwardWidth, of: 2 * forwardWidth },
    };
  });
}

const outNorms = ({ layers, width }: DecoderSizes): WeightRow[] =>
  Array.from({ length: layers }, (_, layer) => [
    layerRow(layer, "attentionOutNorm.weight", "post_self_attn_layernorm", "post_attention_norm", [width]),
    layerRow(layer, "mlpOutNorm.weight", "post_mlp_layernorm", "post_ffw_norm", [width]),
  ]).flat();
