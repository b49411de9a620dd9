// Multi-head latent attention (DeepSeek-AI 2024, "DeepSeek-V2", 2.1), absorbed: what is kept of a token is one row for all
// heads, a latent vector and a rotated key. Keys and values of the heads would be made of the latent by the matrices U and
// V of each; as q · (U c) = (Uᵀ q) · c and Σ w (V c) = V (Σ w c), queries and results go through them instead. So all heads
// have one key, [c, rotated key], which is the value too.
import {
  type Tensor,
  columns,
  constant,
  expertLinear,
  joinColumns,
  rmsNorm,
  rope,
  topColumns,
} from "../graph/index.ts";
import type { AttentionContext } from "./attention.ts";
import type { Weights } from "./weights.ts";

export interface LatentSettings {
  /** H. */
  readonly heads: number;
  /** L: columns of the latent vector. */
  readonly latent: number;
  /** P and R: columns of a query that are not rotated, and of those that are. */
  readonly plain: number;
  readonly rotated: number;
  readonly layout: "halves" | "interleaved";
  readonly scale: number;
  /** ε of the norms of latent vectors. */
  readonly epsilon: number;
}

/** (N, H) i32: each head chooses the matrix of its own number. The same for all layers of a forward pass. */
export const everyHead = (x: Tensor, heads: number): Tensor => topColumns(constant(0, [x.shape[0], heads]), heads);

/**
 * x (N, C) -> (N, C). Weights: query (H*(P+R), C), or queryDown (Q, C), queryNorm (Q) and query (H*(P+R), Q);
 * keyValueDown (L+R, C), keyValueNorm (L); keyUp.weight (H*L, P), Uᵀ of each head; valueUp.weight (H*V, L); output (C, H*V).
 */
export function latentAttention(
  x: Tensor,
  weights: Weights,
  { heads, latent, plain, rotated, layout, scale, epsilon }: LatentSettings,
  { attend, rope: angles }: AttentionContext,
  own: Tensor,
): Tensor {
  const turned = (rows: Tensor): Tensor =>
    angles === undefined ? rows : rope(rows, angles.cos, angles.sin, { headSize: rotated, layout });
  const down = weights.find("queryDown.weight");
  const source =
    down === undefined ? x : rmsNorm(weights.project(x, "queryDown"), weights.get("queryNorm.weight"), epsilon);
  const q = weights.project(source, "query"); // (N, H*(P+R))
  const latentQ = expertLinear(columns(q, 0, plain, heads), weights.get("keyUp.weight"), own, heads); // (N, H*L)
  const queries = joinColumns(latentQ, turned(columns(q, plain, rotated, heads)), heads); // (N, H*(L+R))
  const kept = weights.project(x, "keyValueDown"); // (N, L+R)
  const normed = rmsNorm(columns(kept, 0, latent), weights.get("keyValueNorm.weight"), epsilon);
  const keys = joinColumns(normed, turned(columns(kept, latent, rotated)));
  const mixed = attend(queries, keys, keys, { heads, kvHeads: 1, scale }); // (N, H*(L+R))
  const values = expertLinear(columns(mixed, 0, latent, heads), weights.get("valueUp.weight"), own, heads);
  return weights.project(values, "output"); // (N, H*V) -> (N, C)
}
