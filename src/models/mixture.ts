// Layers of experts in llama-shaped decoders: what configs say of them, their weights, and their forward pass. A layer may
// have experts, a part that all rows go through beside them, or a plain feed-forward part.
import { type Tensor, add, multiply, sigmoid, silu } from "../graph/index.ts";
import { type Routing, type Weights, expertMlp, gatedMlp, route, tapRouted } from "../nn/index.ts";
import type { Config } from "./config.ts";
import { type DecoderSizes, layerRow } from "./decoder.ts";
import type { ForwardInputs, ModelFacts, WeightRow } from "./model.ts";

export interface Mixture {
  /** An expert's. */
  readonly forwardWidth: number;
  readonly experts: number;
  /** How rows are routed in a layer; undefined: it has no experts. */
  readonly routing: (layer: number) => Routing | undefined;
  /** Names in HF, behind the layer's: of the router, and of an expert's parts, `*` for its number. */
  readonly router: string;
  readonly gate: string;
  readonly up: string;
  readonly down: string;
  /** A part for all rows, under its name in HF; `gate` names the router that says how much of it they take. */
  readonly shared?: { readonly forwardWidth: number; readonly name: string; readonly gate?: string };
}

/** What experts are called in most families. */
export const expertNames = {
  router: "mlp.gate",
  gate: "mlp.experts.*.gate_proj",
  up: "mlp.experts.*.up_proj",
  down: "mlp.experts.*.down_proj",
} as const;

/** The number of experts, under its newer or its older name. */
export const hfExperts = (config: Config): number =>
  config.size(config.find("num_experts") === undefined ? "num_local_experts" : "num_experts");

/** Experts of a GGUF file by its metadata, and the layers that its tensors say have some; undefined: it has none. */
export function ggufMixture(
  config: Config,
  { tensors }: ModelFacts,
  sizes: DecoderSizes,
  routing: Pick<Routing, "scores" | "renormalised">,
): (Pick<Mixture, "experts" | "forwardWidth" | "routing"> & { readonly sharedWidth: number | undefined }) | undefined {
  const experts = config.count("expert_count", 0);
  if (experts === 0) return undefined;
  config.only({ expert_weights_scale: [0, 1], expert_group_count: [0, 1], expert_gating_func: [0, 1] });
  const chosen = config.size("expert_used_count");
  /** Old files say no width: their tensors do. */
  const widthOf = (key: string, tensor: string): number | undefined =>
    config.find(key) === undefined ? tensors.get(`blk.0.${tensor}.weight`)?.shape.at(-2) : config.size(key);
  return {
    experts,
    forwardWidth: widthOf("expert_feed_forward_length", "ffn_gate_exps") ?? sizes.forwardWidth,
    sharedWidth: widthOf("expert_shared_feed_forward_length", "ffn_gate_shexp"),
    routing: (layer) => (tensors.has(`blk.${layer}.ffn_gate_inp.weight`) ? { experts, chosen, ...routing } : undefined),
  };
}

/** Rows of a layer's experts, and of what stands beside them. */
export function mixtureRows(layer: number, mixture: Mixture, width: number): WeightRow[] {
  const { experts, forwardWidth, shared, routing } = mixture;
  const chosen = routing(layer)!.chosen;
  const rows = [layerRow(layer, "experts.router.weight", mixture.router, "ffn_gate_inp", [experts, width])];
  const matrices: [part: "gate" | "up" | "down", outer: number, inner: number][] = [
    ["gate", forwardWidth, width],
    ["up", forwardWidth, width],
    ["down", width, forwardWidth],
  ];
  for (const [part, outer, inner] of matrices) {
    const row = layerRow(layer, `experts.${part}.weight`, mixture[part], `ffn_${part}_exps`, [experts * outer, inner]);
    rows.push({ ...row, experts, chosen, ggufEach: `blk.${layer}.ffn_${part}.*.weight` });
    if (shared === undefined) continue;
    const shape = part === "down" ? [width, shared.forwardWidth] : [shared.forwardWidth, width];
    rows.push(layerRow(layer, `shared.${part}.weight`, `${shared.name}.${part}_proj`, `ffn_${part}_shexp`, shape));
  }
  if (shared?.gate !== undefined) {
    const row = layerRow(layer, "shared.router.weight", shared.gate, "ffn_gate_inp_shexp", [1, width]);
    rows.push({ ...row, ggufShape: [width] });
  }
  return rows;
}

/** Whether a weight is a plain feed-forward part's, where a layer has experts instead. */
export function isReplaced({ routing }: Mixture, { parameter }: WeightRow): boolean {
  const [, layer] = /^layers\.(\d+)\.mlp\./.exec(parameter) ?? [];
  return layer !== undefined && routing(Number(layer)) !== undefined;
}

/** x (N, C) -> (N, C): the layer's experts and what stands beside them, or its plain part. */
export function feedForward(
  x: Tensor,
  weights: Weights,
  mixture: Mixture | undefined,
  layer: number,
  tap: ForwardInputs["tap"],
): Tensor {
  const routing = mixture?.routing(layer);
  if (mixture === undefined || routing === undefined) return gatedMlp(x, weights.at("mlp"), silu);
  const routed = tapRouted(route(x, weights.at("experts"), routing), layer, tap);
  const gated = (gate: Tensor, up: Tensor): Tensor => multiply(silu(gate), up);
  const mixed = expertMlp(x, weights.at("experts"), routed, mixture.experts, gated);
  if (mixture.shared === undefined) return mixed;
  const shared = weights.at("shared");
  const all = gatedMlp(x, shared, silu);
  return add(
    mixed,
    shared.find("router.weight") === undefined ? all : multiply(all, sigmoid(shared.project(x, "router"))),
  );
}
