// The attention part of a decoder layer: project, normalise heads, rotate, attend, project back. What a family lacks
// (biases, head norms, rope, a window) its weights and settings leave out. Where keys and values lie, the trace knows.
import { type Tensor, rmsNorm, rope } from "../graph/index.ts";
import type { Weights } from "./weights.ts";

export interface AttentionSettings {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Scores are q·k times this; default 1 / sqrt(head size). */
  readonly scale?: number;
  /** Sliding window in tokens, the query's own included. */
  readonly window?: number | undefined;
  /** Scores become cap * tanh(score / cap). */
  readonly softCap?: number | undefined;
  /** (H, B): what scores have by distance, as the graph's `ScoreTables` says. */
  readonly bias?: Tensor | undefined;
  /** ε of the norms over each query and key head, where the weights have them. */
  readonly epsilon: number;
  /** Whether these norms are before the rotation, the default, or after it. */
  readonly headNorms?: "before" | "after";
}

/** What scores are made of, as the graph's attention ops have it. */
export interface AttendSettings {
  readonly heads: number;
  readonly kvHeads: number;
  readonly scale: number;
  readonly window?: number;
  readonly softCap?: number;
  readonly bias?: Tensor;
  readonly sinks?: Tensor;
}

/**
 * Queries (N, H*D) meet keys and values (N, G*D each), those of their own sequences up to themselves -> (N, H*D): a cache
 * joins the keys of earlier runs, training has the run's own alone.
 */
export type Attend = (q: Tensor, k: Tensor, v: Tensor, settings: AttendSettings) => Tensor;

/** Queries (N, H*D) meet all keys and values of their sequences' source -> (N, H*D). */
export type Recall = (q: Tensor, settings: AttendSettings) => Tensor;

export interface AttentionContext {
  readonly attend: Attend;
  /** cos and sin rows of the halves layout; absent: queries and keys are not rotated. */
  readonly rope?: { readonly cos: Tensor; readonly sin: Tensor };
}

/**
 * x (N, C) -> (N, C). Weights: query, key, value, output (each .weight and optionally .bias); queryNorm.weight and
 * keyNorm.weight (D) where heads are normalised; sinks (H) where heads have them.
 */
export function selfAttention(
  x: Tensor,
  weights: Weights,
  { heads, kvHeads, headSize, epsilon, headNorms = "before", ...scores }: AttentionSettings,
  context: AttentionContext,
): Tensor {
  const { scale = headSize ** -0.5, window, softCap, bias } = scores;
  const turned = (rows: Tensor): Tensor => {
    if (context.rope === undefined) return rows;
    return rope(rows, context.rope.cos, context.rope.sin, { headSize, layout: "halves" });
  };
  const prepared = (rows: Tensor, gainName: string): Tensor => {
    const gain = weights.find(gainName);
    if (gain === undefined) return turned(rows);
    return headNorms === "after" ? rmsNorm(turned(rows), gain, epsilon) : turned(rmsNorm(rows, gain, epsilon));
  };
  const q = prepared(weights.project(x, "query"), "queryNorm.weight"); // (N, H*D)
  const k = prepared(weights.project(x, "key"), "keyNorm.weight"); // (N, G*D)
  const v = weights.project(x, "value"); // (N, G*D)
  const sinks = weights.find("sinks");
  const mixed = context.attend(q, k, v, {
    heads,
    kvHeads,
    scale,
    ...(window !== undefined && { window }),
    ...(softCap !== undefined && { softCap }),
    ...(bias !== undefined && { bias }),
    ...(sinks !== undefined && { sinks }),
  });
  return weights.project(mixed, "output"); // (N, H*D) -> (N, C)
}

/** x (N, C) -> (N, C), looking at a source. Weights: query and output; keys and values are made once (`recall` has them). */
export function crossAttention(
  x: Tensor,
  weights: Weights,
  { heads, kvHeads, headSize, scale = headSize ** -0.5 }: Omit<AttentionSettings, "epsilon">,
  recall: Recall,
): Tensor {
  const mixed = recall(weights.project(x, "query"), { heads, kvHeads, scale }); // (N, H*D)
  return weights.project(mixed, "output"); // (N, H*D) -> (N, C)
}
