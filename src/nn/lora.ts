// Adapters beside projections: LoRA (Hu et al. 2021) and what differs from it in one term, rsLoRA (Kalajdzievski 2023) and
// DoRA (Liu et al. 2024). R rank, K and M a projection's inner and outer size. The projection's own weight is only read,
// so it may be of any stored format. Not here: what their weights are at first (train/), which model they belong to.
import { type Tensor, add, divide, linear, matmul, multiply, scale, sqrt, sumColumns } from "../graph/index.ts";
import { type Projection, plainProjection } from "./weights.ts";

export interface LoraSettings {
  readonly rank: number;
  /** What the adapter adds is multiplied by alpha / rank. */
  readonly alpha: number;
  /** By alpha / sqrt(rank) instead, so that a larger rank does not learn slower (rsLoRA). */
  readonly rankStabilised?: boolean;
  /** The rows of W + what is added have lengths of their own, which are learnt (DoRA). */
  readonly magnitude?: boolean;
  /** Which projections have one, by name: "layers.0.attention.query". */
  readonly adapts: (projection: string) => boolean;
}

/** The names of a projection's adapter: A (R, K), B (M, R), and for DoRA the magnitudes (M, 1). */
export const loraWeights = (projection: string) => ({
  a: `${projection}.loraA`,
  b: `${projection}.loraB`,
  magnitude: `${projection}.loraMagnitude`,
});

export const loraScale = ({ alpha, rank, rankStabilised = false }: LoraSettings): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

/**
 * y = x Wᵀ + b + s (x Aᵀ) Bᵀ; with magnitudes m: y = x W'ᵀ + b, W' = m V / |V|, V = W + s B A, |V| the length of each row.
 * `weight` gives the traced leaf of a name and shape.
 */
export function lora(settings: LoraSettings, weight: (name: string, shape: number[]) => Tensor): Projection {
  const { rank, magnitude = false, adapts } = settings;
  const s = loraScale(settings);
  return (x, projected) => {
    if (!adapts(projected.name)) return plainProjection(x, projected);
    const [outer, inner] = projected.weight.shape as readonly number[];
    const names = loraWeights(projected.name);
    const [a, b] = [weight(names.a, [rank, inner]), weight(names.b, [outer, rank])];
    if (!magnitude) return add(plainProjection(x, projected), scale(linear(linear(x, a), b), s));
    const v = add(projected.weight, scale(matmul(b, a), s)); // (M, K)
    const length = sqrt(sumColumns(multiply(v, v))); // (M, 1)
    const turned = multiply(v, divide(weight(names.magnitude, [outer, 1]), length));
    return plainProjection(x, { ...projected, weight: turned });
  };
}
