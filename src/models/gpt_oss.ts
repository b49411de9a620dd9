// gpt-oss (OpenAI 2025): every second layer slides, heads have sinks, ropes are stretched by yarn, and experts have biases
// and a gate that is cut at a limit. Files hold experts as four-bit floats, or as floats with inputs before outputs, the
// gate's columns and the others by turns.
import { type Tensor, add, gather, maximum, minimum, multiply, scale, sigmoid } from "../graph/index.ts";
import { expertMlp, norm, route, selfAttention, tapRouted } from "../nn/index.ts";
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
  row,
  weightsIn,
} from "./decoder.ts";
import { hfWindows } from "./layer-windows.ts";
import { loadingMap } from "./loading.ts";
import type { Model, ModelFacts, RopeTable, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** What the gate is cut at, and the slope of its sigmoid, where a file does not say. */
const [LIMIT, SLOPE] = [7, 1.702];
/** The rope's, where a config says none. */
const GPT_OSS_BASE = 150_000;
const biases: DecoderBiases = { qkv: true, output: true, mlp: false };

interface Shape {
  readonly sizes: DecoderSizes;
  readonly rope: RopeTable;
  readonly windows: readonly (number | undefined)[];
  readonly experts: number;
  readonly chosen: number;
  /** An expert's. */
  readonly forwardWidth: number;
  readonly limit: number;
  readonly slope: number;
  readonly tied: boolean | "optional";
}

function readHf(facts: ModelFacts): Shape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"], attention_bias: [true] });
  const sizes = hfSizes(config, facts, { headSize: 64 });
  const window = config.find("sliding_window") === undefined ? undefined : config.size("sliding_window");
  return {
    sizes,
    rope: hfRope("main", config, sizes.headSize, { theta: GPT_OSS_BASE }),
    windows: hfWindows(config, sizes.layers, window, (layer) => layer % 2 === 0),
    experts: config.size("num_local_experts"),
    chosen: config.size(config.find("num_experts_per_tok") === undefined ? "experts_per_token" : "num_experts_per_tok"),
    forwardWidth: sizes.forwardWidth,
    limit: config.number("swiglu_limit", LIMIT),
    slope: config.number("swiglu_alpha", SLOPE),
    tied: config.boolean("tie_word_embeddings", false),
  };
}

function readGguf(facts: ModelFacts): Shape {
  const config = new Config(facts.file, facts.config, "gpt-oss.");
  config.only({ ...ggufRefusals, expert_count: undefined });
  const sizes = ggufSizes(config, facts);
  const window = config.size("attention.sliding_window");
  const forwardWidth = config.size("expert_feed_forward_length");
  return {
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts, { theta: GPT_OSS_BASE, truncate: false }),
    windows: Array.from({ length: sizes.layers }, (_, layer) => (layer % 2 === 0 ? window : undefined)),
    experts: config.size("expert_count"),
    chosen: config.size("expert_used_count"),
    forwardWidth,
    limit: LIMIT,
    slope: SLOPE,
    tied: "optional",
  };
}

export function gptOss(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  const { sizes, rope, experts, chosen, limit, slope } = shape;
  const { layers, epsilon } = sizes;
  const plan = cachePlan(shape.windows, sizes);
  const map = loadingMap(facts, "gpt_oss", rowsOf(shape), ignoredTables);
  /** (up + 1) gate sigmoid(slope gate), both cut. */
  const gated = (gate: Tensor, up: Tensor): Tensor => {
    const cut = minimum(gate, limit);
    const opened = multiply(cut, sigmoid(scale(cut, slope)));
    return multiply(add(minimum(maximum(up, -limit), limit), 1), opened);
  };
  return {
    family: "gpt_oss",
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups,
    ropes: [rope],
    ...map,
    heads: { logits: logitsHead(map.parameters) },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      let h = gather(weights.get("embedding.weight"), x.ids); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const settings = { ...sizes, window: plan.ofLayer[layer].window };
        const context = attentionContext(x, plan, layer, rope.name);
        h = add(h, selfAttention(norm(h, at, "attentionNorm", epsilon), at.at("attention"), settings, context));
        const normed = norm(h, at, "mlpNorm", epsilon);
        const routing = { experts, chosen, scores: "softmax of chosen" } as const;
        const routed = tapRouted(route(normed, at.at("experts"), routing), layer, x.tap);
        h = add(h, expertMlp(normed, at.at("experts"), routed, experts, gated));
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

function rowsOf({ sizes, experts, chosen, forwardWidth, tied }: Shape): WeightRow[] {
  const { layers, width, heads } = sizes;
  const rows = decoderRows(sizes, biases, tied).filter(({ parameter }) => !parameter.includes(".mlp."));
  for (let layer = 0; layer < layers; layer++) {
    rows.push(
      layerRow(layer, "attentionNorm.weight", "input_layernorm", "attn_norm", [width]),
      layerRow(layer, "mlpNorm.weight", "post_attention_layernorm", "post_attention_norm", [width]),
      layerRow(layer, "experts.router.weight", "mlp.router", "ffn_gate_inp", [experts, width]),
      layerRow(layer, "experts.router.bias", "mlp.router", "ffn_gate_inp", [experts]),
      sinksRow(layer, heads),
    );
    const parts = [
      { part: "gate", hf: "gate_up_proj", outer: forwardWidth, inner: width, turn: { of: 2, first: 0 } },
      { part: "up", hf: "gate_up_proj", outer: forwardWidth, inner: width, turn: { of: 2, first: 1 } },
      { part: "down", hf: "down_proj", outer: width, inner: forwardWidth },
    ];
    for (const { part, hf, outer, inner, turn } of parts) {
      const name = `layers.${layer}.mlp.experts.${hf}`;
      const turns = turn === undefined ? {} : { hfTurns: turn };
      const weight = row(`layers.${layer}.experts.${part}.weight`, "", `blk.${layer}.ffn_${part}_exps`, [
        experts * outer,
        inner,
      ]);
      const bias = row(`layers.${layer}.experts.${part}.bias`, "", `blk.${layer}.ffn_${part}_exps`, [experts, outer]);
      rows.push(
        { ...weight, hf: `model.${name}`, experts, chosen, hfTransposed: true, ...turns },
        { ...bias, hf: `model.${name}_bias`, ...turns },
      );
    }
  }
  return rows;
}

/** A logit for each head, which takes its part of the attention and gives nothing. */
const sinksRow = (layer: number, heads: number): WeightRow => ({
  parameter: `layers.${layer}.attention.sinks`,
  hf: `model.layers.${layer}.self_attn.sinks`,
  gguf: `blk.${layer}.attn_sinks.weight`,
  shape: [heads],
});
