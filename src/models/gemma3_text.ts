// Gemma 3, text only (Gemma team 2025): scaled embeddings, a norm before and after each part, norms over query and key
// heads, GeGLU. Most layers slide with a rope base of their own; every sixth sees everything.
import { add, geluTanh, gather, scale, tanh } from "../graph/index.ts";
import { gatedMlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  type DecoderBiases,
  type DecoderSizes,
  attentionContext,
  cachePlan,
  decoderRows,
  finalHidden,
  ggufRefusals,
  ggufSizes,
  hfRefusals,
  hfSizes,
  ignoredTables,
  layerRow,
  logitsHead,
  weightsIn,
} from "./decoder.ts";
import { hfWindows } from "./layer-windows.ts";
import { loadingMap } from "./loading.ts";
import type { Model, ModelFacts, RopeTable, WeightRow } from "./model.ts";
import { ggufRope, hfRope, hfRopeScaling, ropeTable } from "./rope-config.ts";

interface Gemma3Shape {
  readonly sizes: DecoderSizes;
  readonly windows: readonly (number | undefined)[];
  readonly scale: number;
  readonly softCap: number | undefined;
  readonly finalSoftCap: number | undefined;
  /** "full" and "window": a rope is named as the group it turns. */
  readonly ropes: readonly RopeTable[];
  readonly biases: DecoderBiases;
  readonly tied: boolean | "optional";
}

const [BASE, LOCAL_BASE] = [1_000_000, 10_000];
const LAYERS_27B = 62; // GGUF does not say query_pre_attn_scalar: width / heads there, the head size in all others

function readHf(facts: ModelFacts): Gemma3Shape {
  const config = new Config(facts.file, facts.config);
  config.only({
    ...hfRefusals,
    hidden_activation: ["gelu_pytorch_tanh"],
    use_bidirectional_attention: [false],
  });
  const sizes = hfSizes(config, facts, { headSize: 256 });
  const ropes = config.object("rope_parameters");
  for (const type of ["full_attention", "sliding_attention"]) {
    if (ropes?.find(type) === undefined && ropes !== undefined)
      throw ropes.error(type, undefined, "the rope of these layers");
  }
  const sliding = ropes?.object("sliding_attention");
  const localTheta = sliding?.number("rope_theta", LOCAL_BASE) ?? config.number("rope_local_base_freq", LOCAL_BASE);
  const pattern = config.size("sliding_window_pattern", config.size("_sliding_window_pattern", 6));
  const bias = config.boolean("attention_bias", false);
  return {
    sizes,
    windows: hfWindows(config, sizes.layers, config.size("sliding_window", 4096), (i) => (i + 1) % pattern !== 0),
    scale: config.number("query_pre_attn_scalar", 256) ** -0.5,
    softCap: config.optionalNumber("attn_logit_softcapping"),
    finalSoftCap: config.optionalNumber("final_logit_softcapping"),
    ropes: [
      hfRope("full", config, sizes.headSize, { theta: BASE }),
      ropeTable("window", localTheta, sizes.headSize, hfRopeScaling(sliding, config)),
    ],
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", true),
  };
}

function readGguf(facts: ModelFacts): Gemma3Shape {
  const config = new Config(facts.file, facts.config, "gemma3.");
  config.only(ggufRefusals);
  const sizes = ggufSizes(config, facts);
  const { layers, width, heads, headSize } = sizes;
  const window = config.size("attention.sliding_window");
  const pattern = config.size("attention.sliding_window_pattern", 6);
  return {
    sizes,
    windows: Array.from({ length: layers }, (_, i) => ((i + 1) % pattern === 0 ? undefined : window)),
    scale: (layers === LAYERS_27B ? width / heads : headSize) ** -0.5,
    softCap: config.optionalNumber("attn_logit_softcapping"),
    finalSoftCap: config.optionalNumber("final_logit_softcapping"),
    ropes: [
      ggufRope("full", config, headSize, facts, { theta: BASE }),
      ropeTable("window", config.number("rope.freq_base_swa", LOCAL_BASE), headSize, { type: "none" }),
    ],
    biases: { qkv: false, output: false, mlp: false },
    tied: "optional",
  };
}

export function gemma3Text(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  const { sizes, finalSoftCap } = shape;
  const { layers, width, epsilon } = sizes;
  const plan = cachePlan(shape.windows, sizes);
  const map = loadingMap(facts, "gemma3_text", gemma3Rows(shape), ignoredTables);
  const head = logitsHead(map.parameters);
  return {
    family: "gemma3_text",
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width,
    layers,
    cacheGroups: plan.groups,
    ropes: shape.ropes.filter(({ name }) => plan.groups.some((group) => group.name === name)),
    ...map,
    heads: {
      logits(hidden, x) {
        const scores = head(hidden, x);
        return finalSoftCap === undefined ? scores : scale(tanh(scale(scores, 1 / finalSoftCap)), finalSoftCap);
      },
    },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      let h = scale(gather(weights.get("embedding.weight"), x.ids), Math.sqrt(width)); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const { group, window } = plan.ofLayer[layer]; // a rope is named as the group it turns
        const settings = { ...sizes, window, scale: shape.scale, softCap: shape.softCap };
        const context = attentionContext(x, plan, layer, group);
        const mixed = selfAttention(norm(h, at, "attentionNorm", epsilon), at.at("attention"), settings, context);
        h = add(h, norm(mixed, at, "attentionOutNorm", epsilon));
        const fed = gatedMlp(norm(h, at, "mlpNorm", epsilon), at.at("mlp"), geluTanh);
        h = add(h, norm(fed, at, "mlpOutNorm", epsilon));
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

function gemma3Rows({ sizes, biases, tied }: Gemma3Shape): WeightRow[] {
  const { layers, width, headSize } = sizes;
  const rows = decoderRows(sizes, biases, tied);
  for (let layer = 0; layer < layers; layer++) {
    rows.push(
      layerRow(layer, "attentionNorm.weight", "input_layernorm", "attn_norm", [width]),
      layerRow(layer, "attentionOutNorm.weight", "post_attention_layernorm", "post_attention_norm", [width]),
      layerRow(layer, "mlpNorm.weight", "pre_feedforward_layernorm", "ffn_norm", [width]),
      layerRow(layer, "mlpOutNorm.weight", "post_feedforward_layernorm", "post_ffw_norm", [width]),
      layerRow(layer, "attention.queryNorm.weight", "self_attn.q_norm", "attn_q_norm", [headSize]),
      layerRow(layer, "attention.keyNorm.weight", "self_attn.k_norm", "attn_k_norm", [headSize]),
    );
  }
  // every gain is 1 + w; llama.cpp's converter has added the 1 already
  return rows.map((row) => (/norm\.weight$/i.test(row.parameter) ? { ...row, hfAddOne: true } : row));
}
