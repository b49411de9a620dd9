// DeepSeek V2, V2-Lite, V3, R1 and what shares their configs, such as Moonlight (DeepSeek-AI 2024): latent attention, which
// keeps one short row of a token for all heads, and layers of many experts behind a first few plain ones. The generations
// differ in how rows are routed. Not here: the latent attention itself (nn/latent-attention.ts), experts (mixture.ts).
import { add, gather } from "../graph/index.ts";
import { type Routing, everyHead, latentAttention, norm, yarnMagnitude } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  attentionContext,
  cachePlan,
  decoderRows,
  finalHidden,
  hfRefusals,
  ignoredTables,
  layerRow,
  logitsHead,
  weightsIn,
} from "./decoder.ts";
import { readDeepseekGguf } from "./deepseek-gguf.ts";
import { type DeepseekShape, LATENT_EPSILON, mixtureFrom } from "./deepseek-shape.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import { feedForward, isReplaced, mixtureRows } from "./mixture.ts";
import type { HeadRows, Model, ModelFacts, WeightRow } from "./model.ts";
import { hfRope, hfWindow, ropeSettings } from "./rope-config.ts";

function readHf(facts: ModelFacts): DeepseekShape {
  const config = new Config(facts.file, facts.config);
  const isV3 = config.string("model_type") === "deepseek_v3";
  config.only({
    ...hfRefusals,
    hidden_act: ["silu"],
    mlp_bias: [false],
    moe_layer_freq: [1],
    scoring_func: [isV3 ? "sigmoid" : "softmax"],
    topk_method: isV3 ? ["noaux_tc"] : ["greedy", "group_limited_greedy"],
    ...(!isV3 && { norm_topk_prob: [false] }),
  });
  const [heads, latent] = [config.size("num_attention_heads"), config.size("kv_lora_rank")];
  const [plain, rotated] = [config.size("qk_nope_head_dim"), config.size("qk_rope_head_dim")];
  config.only({ num_key_value_heads: [heads], head_dim: [rotated, plain + rotated] });
  const layers = config.size("num_hidden_layers");
  if (facts.isNew !== true && layers > facts.tensors.size) {
    throw config.error("num_hidden_layers", layers, `at most the file's ${facts.tensors.size} tensors`);
  }
  const experts = config.size("n_routed_experts");
  const first = config.count("first_k_dense_replace", isV3 ? 3 : 0);
  const isGrouped = isV3 || config.string("topk_method", "greedy") === "group_limited_greedy";
  const routing: Routing = {
    experts,
    chosen: config.size("num_experts_per_tok"),
    scores: isV3 ? "sigmoid" : "softmax",
    renormalised: isV3 && config.boolean("norm_topk_prob", true),
    scale: config.number("routed_scaling_factor", isV3 ? 2.5 : 1),
    ...(isGrouped && {
      groups: { count: config.size("n_group", 1), kept: config.size("topk_group", 1), by: isV3 ? 2 : 1 },
    }),
  };
  const forwardWidth = config.size("moe_intermediate_size");
  const shared = config.count("n_shared_experts", 0);
  const settings = ropeSettings(config);
  const factor = settings?.optionalNumber("factor") ?? 1;
  const stretched = settings?.numberOrZero("mscale_all_dim", 0) ?? 0;
  const magnitude = stretched === 0 ? 1 : yarnMagnitude(factor, stretched);
  return {
    family: isV3 ? "deepseek_v3" : "deepseek_v2",
    sizes: {
      vocabularySize: config.size("vocab_size"),
      window: hfWindow(config, config.size("max_position_embeddings")),
      width: config.size("hidden_size"),
      forwardWidth: config.size("intermediate_size"),
      layers,
      heads,
      kvHeads: 1,
      headSize: latent + rotated,
      epsilon: config.number("rms_norm_eps", 1e-6),
    },
    latent: {
      heads,
      latent,
      plain,
      rotated,
      layout: config.boolean("rope_interleave", true) ? "interleaved" : "halves",
      scale: (plain + rotated) ** -0.5 * magnitude ** 2,
      epsilon: LATENT_EPSILON,
    },
    queryLatent: config.find("q_lora_rank") === undefined ? undefined : config.size("q_lora_rank"),
    valueSize: config.size("v_head_dim"),
    rope: hfRope("main", config, rotated),
    mixture: mixtureFrom(first, routing, forwardWidth, shared),
    bias: config.boolean("attention_bias", false),
    tied: config.boolean("tie_word_embeddings", false),
    ggufJoined: false,
  };
}

export function deepseek(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readDeepseekGguf(facts);
  const { family, sizes, latent, rope, mixture } = shape;
  const { layers, epsilon, heads } = sizes;
  const plan = cachePlan(Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, family, deepseekRows(shape), [...ignoredTables, laterLayers(layers)]);
  return {
    family,
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups.map((group) => ({ ...group, valuesAreKeys: true })),
    ropes: [rope],
    ...map,
    heads: { logits: logitsHead(map.parameters) },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const own = everyHead(x.ids, heads);
      let h = gather(weights.get("embedding.weight"), x.ids); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const context = attentionContext(x, plan, layer, rope.name);
        h = add(h, latentAttention(norm(h, at, "attentionNorm", epsilon), at.at("attention"), latent, context, own));
        h = add(h, feedForward(norm(h, at, "mlpNorm", epsilon), at, mixture, layer, x.tap));
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

/** What predicts tokens after the next one while V3 is trained stands in layers behind the model's. */
const laterLayers = (layers: number): IgnoredRow => ({
  name: { test: (name: string) => Number(/^(?:model\.layers|blk)\.(\d+)\./.exec(name)?.[1] ?? -1) >= layers },
  reason: "a layer that predicts further tokens, which plain generation does not use",
});

function deepseekRows(shape: DeepseekShape): WeightRow[] {
  const { sizes, latent, queryLatent, valueSize, mixture, bias, tied } = shape;
  const { layers, width, heads } = sizes;
  const { plain, rotated } = latent;
  const none = { qkv: false, output: false, mlp: false };
  const isOwn = ({ parameter }: WeightRow): boolean => /\.attention\./.test(parameter);
  const rows = decoderRows(sizes, none, tied).filter((row) => !isOwn(row) && !isReplaced(mixture, row));
  for (let layer = 0; layer < layers; layer++) {
    const at = (part: string, hf: string, gguf: string, shape: readonly number[]): WeightRow =>
      layerRow(layer, part, hf, gguf, shape);
    const projection = (part: string, hf: string, gguf: string, shape: readonly number[]): WeightRow[] => [
      at(`attention.${part}.weight`, `self_attn.${hf}`, gguf, shape),
      ...(bias === false
        ? []
        : [
            {
              ...at(`attention.${part}.bias`, `self_attn.${hf}`, gguf, shape.slice(0, 1)),
              optional: bias === "optional",
            },
          ]),
    ];
    const queries = heads * (plain + rotated);
    if (queryLatent === undefined)
      rows.push(at("attention.query.weight", "self_attn.q_proj", "attn_q", [queries, width]));
    else {
      rows.push(
        ...projection("queryDown", "q_a_proj", "attn_q_a", [queryLatent, width]),
        at("attention.queryNorm.weight", "self_attn.q_a_layernorm", "attn_q_a_norm", [queryLatent]),
        at("attention.query.weight", "self_attn.q_b_proj", "attn_q_b", [queries, queryLatent]),
      );
    }
    rows.push(
      ...projection("keyValueDown", "kv_a_proj_with_mqa", "attn_kv_a_mqa", [latent.latent + rotated, width]),
      at("attention.keyValueNorm.weight", "self_attn.kv_a_layernorm", "attn_kv_a_norm", [latent.latent]),
      ...headRows(layer, shape),
      ...projection("output", "o_proj", "attn_output", [width, heads * valueSize]),
      at("attentionNorm.weight", "input_layernorm", "attn_norm", [width]),
      at("mlpNorm.weight", "post_attention_layernorm", "ffn_norm", [width]),
    );
    const routing = mixture.routing(layer);
    if (routing === undefined) continue;
    rows.push(...mixtureRows(layer, mixture, width));
    if (shape.family === "deepseek_v3") rows.push(selectionBias(layer, mixture.experts));
  }
  return rows;
}

const selectionBias = (layer: number, experts: number): WeightRow => ({
  parameter: `layers.${layer}.experts.selectionBias`,
  hf: `model.layers.${layer}.mlp.gate.e_score_correction_bias`,
  gguf: `blk.${layer}.exp_probs_b.bias`,
  shape: [experts],
});

/** The two matrices of each head, which folders and old GGUF files have in one tensor, head by head. */
function headRows(layer: number, { latent, valueSize, ggufJoined }: DeepseekShape): WeightRow[] {
  const { heads, plain, latent: inner } = latent;
  const of = plain + valueSize;
  const keys: HeadRows = { heads, of, first: 0, count: plain, transposed: true };
  const values: HeadRows = { heads, of, first: plain, count: valueSize, transposed: false };
  const row = (part: string, shape: readonly number[], gguf: string, layout: HeadRows): WeightRow => ({
    ...layerRow(layer, `attention.${part}.weight`, "self_attn.kv_b_proj", ggufJoined ? "attn_kv_b" : gguf, shape),
    matrices: heads,
    hfHeads: layout,
    ...(ggufJoined ? { ggufHeads: layout } : { ggufShape: [heads, shape[0] / heads, shape[1]] }),
  });
  return [
    row("keyUp", [heads * inner, plain], "attn_k_b", keys),
    row("valueUp", [heads * valueSize, inner], "attn_v_b", values),
  ];
}
