// Mixtures of experts: each row goes through a few of many feed-forward parts, which a router chooses for it (Shazeer et
// al. 2017, "Outrageously large neural networks"). C width, F an expert's width, E experts, k chosen ones.
import {
  type ColumnGroups,
  type Tensor,
  add,
  divide,
  expertLinear,
  gather,
  gatherColumns,
  mixParts,
  scale,
  sigmoid,
  softmax,
  sumColumns,
  topColumns,
} from "../graph/index.ts";
import type { Weights } from "./weights.ts";

export interface Routing {
  readonly experts: number;
  /** k. */
  readonly chosen: number;
  /** What experts score of the router's logits; "softmax of chosen": the logits themselves, and the chosen ones share 1. */
  readonly scores: "softmax" | "sigmoid" | "softmax of chosen";
  /** The chosen scores are divided by their sum. */
  readonly renormalised?: boolean;
  /** Shares are multiplied by this. */
  readonly scale?: number;
  /** Experts are chosen from the best groups of them only. */
  readonly groups?: ColumnGroups;
}

export interface Routed {
  /** (N, k) i32. */
  readonly choices: Tensor;
  /** (N, k): what each chosen expert's result is multiplied by. */
  readonly shares: Tensor;
  /** (N, E): the router's logits. */
  readonly logits: Tensor;
  /** (N, E): what share of a row the router would give each expert, 1 in all. */
  readonly allShares: Tensor;
}

/** Names of what a layer of experts tells of its routing: `logits`, `choices` and `allShares` of Routed. */
export const expertLogitsTap = (layer: number): string => `router.${layer}`;
export const expertChoicesTap = (layer: number): string => `router.${layer}.choices`;
export const expertSharesTap = (layer: number): string => `router.${layer}.shares`;

/** Names what was routed, and gives it. */
export function tapRouted(routed: Routed, layer: number, tap: (name: string, value: Tensor) => Tensor): Routed {
  tap(expertLogitsTap(layer), routed.logits);
  tap(expertChoicesTap(layer), routed.choices);
  tap(expertSharesTap(layer), routed.allShares);
  return routed;
}

/** Shares of scores that are all 0 are 0, not undefined; of others this changes no bit. */
const LEAST_SUM = 1e-20;

/**
 * x (N, C) -> who goes where. Weights: router.weight (E, C), optionally router.bias (E); selectionBias (E) where experts are
 * chosen by score + bias and weighted by score alone (Wang et al. 2024, "Auxiliary-loss-free load balancing").
 */
export function route(x: Tensor, weights: Weights, routing: Routing): Routed {
  const { chosen, scores, renormalised = false, scale: factor = 1, groups } = routing;
  const logits = weights.project(x, "router"); // (N, C) -> (N, E)
  const all = scores === "softmax" ? softmax(logits) : scores === "sigmoid" ? sigmoid(logits) : logits;
  const bias = weights.find("selectionBias");
  const choices = topColumns(bias === undefined ? all : add(all, bias), chosen, groups);
  const found = gatherColumns(all, choices); // (N, k)
  const shares = scores === "softmax of chosen" ? softmax(found) : found;
  const whole = renormalised ? divide(shares, add(sumColumns(shares), LEAST_SUM)) : shares;
  const allShares = scores === "sigmoid" ? divide(all, sumColumns(all)) : scores === "softmax" ? all : softmax(logits);
  return { choices, shares: factor === 1 ? whole : scale(whole, factor), logits, allShares };
}

/**
 * The chosen experts' shares of down(activation(gate x, up x)), (N, C) -> (N, C). Weights: gate.weight and up.weight (E*F,
 * C), down.weight (E*C, F), each optionally with a .bias of a row for each expert.
 */
export function expertMlp(
  x: Tensor,
  weights: Weights,
  { choices, shares }: Pick<Routed, "choices" | "shares">,
  experts: number,
  activation: (gate: Tensor, up: Tensor) => Tensor,
): Tensor {
  const through = (rows: Tensor, name: string): Tensor => {
    const y = expertLinear(rows, weights.get(`${name}.weight`), choices, experts);
    const bias = weights.find(`${name}.bias`);
    return bias === undefined ? y : add(y, gather(bias, choices));
  };
  const fed = activation(through(x, "gate"), through(x, "up")); // (N, C) -> (N, k*F)
  return mixParts(through(fed, "down"), shares); // (N, k*F) -> (N, k*C) -> (N, C)
}
