// GPT-1 (Radford et al. 2018): as gpt2, but each norm comes after a sum: n = norm(x + attention x), x = norm(n + mlp n). There
// is no last norm. llama.cpp has no name for it, so there are no GGUF files of it.
import { add, gather, geluTanh, relu, silu } from "../graph/index.ts";
import { type Activation, mlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  type DecoderSizes,
  attentionContext,
  cachePlan,
  checked,
  hfRefusals,
  logitsHead,
  weightsIn,
} from "./decoder.ts";
import { gpt2Ignored, gpt2LayerRows } from "./gpt2.ts";
import { loadingMap } from "./loading.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";

const activations: Readonly<Record<string, Activation>> = { gelu: geluTanh, relu, silu, swish: silu };

function read(facts: ModelFacts): { readonly sizes: DecoderSizes; readonly activation: Activation } {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, afn: Object.keys(activations), tie_word_embeddings: [true] });
  const [width, heads] = [config.size("n_embd"), config.size("n_head")];
  if (width % heads !== 0) throw config.error("n_head", heads, `a divisor of the width ${width}`);
  const sizes = checked(config, facts, "n_layer", {
    vocabularySize: config.size("vocab_size"),
    window: config.size("n_positions"),
    width,
    forwardWidth: 4 * width,
    layers: config.size("n_layer"),
    heads,
    kvHeads: heads,
    headSize: width / heads,
    epsilon: config.number("layer_norm_epsilon", 1e-5),
  });
  return { sizes, activation: activations[config.string("afn", "gelu")] };
}

export function openaiGpt(facts: ModelFacts): Model {
  const { sizes, activation } = read(facts);
  const { layers, epsilon } = sizes;
  const plan = cachePlan(Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, "openai-gpt", rowsOf(facts, sizes), gpt2Ignored);
  return {
    family: "openai-gpt",
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups,
    ropes: [],
    ...map,
    heads: { logits: logitsHead(map.parameters) },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const places = gather(weights.get("positions.weight"), x.positions);
      let h = add(gather(weights.get("embedding.weight"), x.ids), places); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const mixed = selfAttention(h, at.at("attention"), sizes, attentionContext(x, plan, layer));
        h = norm(add(h, mixed), at, "attentionNorm", epsilon);
        h = norm(add(h, mlp(h, at.at("mlp"), activation)), at, "mlpNorm", epsilon);
      }
      return gather(x.tap(`hidden.${layers}`, h), x.outputRows);
    },
  };
}

/** The first release's names lack "transformer.". */
function rowsOf({ tensors }: ModelFacts, sizes: DecoderSizes): WeightRow[] {
  const { vocabularySize, window, width } = sizes;
  const prefix = tensors.has("tokens_embed.weight") ? "" : "transformer.";
  const table = (parameter: string, hf: string, rows: number): WeightRow => ({
    parameter,
    hf: `${prefix}${hf}`,
    shape: [rows, width],
  });
  return [
    table("embedding.weight", "tokens_embed.weight", vocabularySize),
    table("positions.weight", "positions_embed.weight", window),
    ...gpt2LayerRows(prefix, sizes),
  ];
}
