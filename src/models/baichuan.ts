// Baichuan 1 and 2 (Yang et al. 2023): llama without grouped queries, whose query, key and value are one tensor in HF. The
// 7B models rotate, the 13B ones have ALiBi; generation 2 divides the rows of its head by their lengths. Published configs
// say neither: the width and the vocabulary tell.
import { Config } from "./config.ts";
import { type DecoderSizes, ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel, llamaRows } from "./llama.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** Widths of the published models, and how these know positions. */
const POSITIONS: Readonly<Record<number, string>> = { 4096: "ROPE", 5120: "ALIBI" };
/** Generation 2's. */
export const UNIT_HEAD_VOCABULARY = 125_696;
/** llama.cpp tells the models apart by their layers. */
const ALIBI_LAYERS = 40;
/** GGUF's word: slopes are 2 to the power of -8 / H times the head's number from 1. */
export const ALIBI_BIAS = 8;

const plain = { biases: { qkv: false, output: false, mlp: false }, ggufInterleaved: true } as const;

export function baichuan(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  return llamaModel(facts, shape, baichuanRows(shape));
}

function readHf(facts: ModelFacts): LlamaShape {
  const window = facts.config.max_position_embeddings ?? facts.config.model_max_length;
  const config = new Config(facts.file, { ...facts.config, max_position_embeddings: window });
  config.only({
    ...hfRefusals,
    hidden_act: ["silu"],
    tie_word_embeddings: [false],
    position_embedding: ["ROPE", "ALIBI"],
  });
  const sizes = hfSizes(config, facts);
  const positions = config.string("position_embedding", POSITIONS[sizes.width]);
  return {
    ...plain,
    family: "baichuan",
    sizes,
    ...(positions === "ALIBI" ? { alibi: true } : { rope: hfRope("main", config, sizes.headSize) }),
    tied: false,
    unitHead: config.boolean("norm_head", sizes.vocabularySize === UNIT_HEAD_VOCABULARY),
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "baichuan.");
  config.only({ ...ggufRefusals, "attention.max_alibi_bias": [0, ALIBI_BIAS], "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  const bias = config.count("attention.max_alibi_bias", sizes.layers === ALIBI_LAYERS ? ALIBI_BIAS : 0);
  return {
    ...plain,
    family: "baichuan",
    sizes,
    ...(bias === ALIBI_BIAS ? { alibi: true } : { rope: ggufRope("main", config, sizes.headSize, facts) }),
    tied: "optional",
  };
}

function baichuanRows(shape: LlamaShape): WeightRow[] {
  const fused = /^layers\.\d+\.attention\.(query|key|value)\.weight$/;
  return llamaRows(shape).map((row) => {
    const part = fused.exec(row.parameter)?.[1];
    if (part !== undefined) return { ...row, ...packed(shape.sizes, ["query", "key", "value"].indexOf(part), row) };
    return shape.unitHead === true && row.parameter === "head.weight" ? { ...row, hfUnitRows: true } : row;
  });
}

/** The rows of one of three in HF's tensor. */
const packed = ({ width }: DecoderSizes, third: number, { hf }: WeightRow): Partial<WeightRow> => ({
  hf: hf.replace(/[qkv]_proj/, "W_pack"),
  hfHeads: { heads: 1, of: 3 * width, first: third * width, count: width, transposed: false },
});
