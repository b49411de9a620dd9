// Adapters beside projections: LoRA (Hu et al. 2021) and what differs from it in one term, rsLoRA (Kalajdzievski 2023) and
// DoRA (Liu et al. 2024). R rank, K and M a projection's inner and outer size. The projection's own weight is only read,
// so it may be of any stored format. One adapter that is trained, or several over one model that rows choose from. Not here:
// what their weights are at first (train/), which model they belong to.
import {
  type Tensor,
  add,
  broadcast,
  divide,
  gather,
  gatherMatmul,
  linear,
  multiply,
  sameShape,
  scale,
  sqrt,
  sumRows,
  transpose,
} from "../graph/index.ts";
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

/**
 * The names of a projection's adapter: A (R, K), B (M, R), and for DoRA the magnitudes (M); also of the sums of squares of
 * its weight's rows (M), which DoRA reads and nobody trains.
 */
export const loraWeights = (projection: string) => ({
  a: `${projection}.loraA`,
  b: `${projection}.loraB`,
  magnitude: `${projection}.loraMagnitude`,
  squares: `${projection}.loraSquares`,
});

type LoraPart = keyof ReturnType<typeof loraWeights>;
const ENDINGS = Object.entries(loraWeights("")) as [LoraPart, string][];

/** The projection that a weight is an adapter's of, and which one it is there; undefined: it is no adapter's. */
export function adapterWeight(name: string): { readonly projection: string; readonly part: LoraPart } | undefined {
  const found = ENDINGS.find(([, ending]) => name.endsWith(ending));
  return found && { projection: name.slice(0, -found[1].length), part: found[0] };
}

export type LoraScaling = Pick<LoraSettings, "rank" | "alpha" | "rankStabilised">;

export const loraScale = ({ alpha, rank, rankStabilised = false }: LoraScaling): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

/**
 * y = x Wᵀ + b + s (x Aᵀ) Bᵀ; with magnitudes m: y = x W'ᵀ + b, W' = m V / |V|, V = W + s B A, |V| the length of each row.
 * Since |V|² = |W|² + 2 s B·(W Aᵀ) + s² B·(B A Aᵀ), row by row, V itself is never made. `weight` gives the traced leaf of a
 * name and shape.
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
    const sum = add(linear(x, projected.weight), scale(linear(linear(x, a), b), s)); // x Vᵀ (N, M)
    const crossed = add(scale(linear(a, projected.weight), 2 * s), scale(linear(linear(a, a), b), s * s)); // (R, M)
    const squares = add(weight(names.squares, [outer]), sumRows(multiply(transpose(b), crossed))); // (M)
    const turn = divide(weight(names.magnitude, [outer]), sqrt(squares)); // (M)
    const turned = multiply(sum, broadcast(turn, sum.shape));
    return projected.bias === undefined ? turned : add(turned, broadcast(projected.bias, sum.shape));
  };
}

/** Several adapters over one model, side by side in tables: how many, and which projections they change. */
export interface AdapterRoom {
  readonly count: number;
  /** The largest rank; adapters of less leave the rest of their rows and columns 0. */
  readonly rank: number;
  /** Names of projections: "layers.0.attention.query". */
  readonly projections: readonly string[];
  /** Those of them whose rows an adapter gives lengths of its own (DoRA). */
  readonly magnitudes: readonly string[];
}

/**
 * As `lora`, of the adapter that each row chooses (`choices` (N), or [1] where all rows have one; 0: none). `table` gives the traced tables: every adapter's Aᵀ
 * (count*K, R) one after another, s Bᵀ (count*R, M), and m / |V| (1 + count, M), of which the first row is 1.
 */
export function chosenLora(
  { count, rank, projections, magnitudes }: AdapterRoom,
  table: (name: string, shape: number[]) => Tensor,
  choices: Tensor,
): Projection {
  const [adapts, turns] = [new Set(projections), new Set(magnitudes)];
  return (x, projected) => {
    if (!adapts.has(projected.name)) return plainProjection(x, projected);
    const { name, weight, bias } = projected;
    const [outer, inner] = weight.shape as readonly number[];
    const names = loraWeights(name);
    const low = gatherMatmul(x, table(names.a, [count * inner, rank]), choices); // (N, R)
    const b = table(names.b, [count * rank, outer]);
    if (!turns.has(name)) return gatherMatmul(low, b, choices, plainProjection(x, projected));
    const sum = gatherMatmul(low, b, choices, linear(x, weight));
    const turn = gather(table(names.magnitude, [1 + count, outer]), choices); // (N, M), or (1, M)
    const turned = multiply(sum, sameShape(turn.shape, sum.shape) ? turn : broadcast(sumRows(turn), sum.shape));
    return bias === undefined ? turned : add(turned, broadcast(bias, turned.shape));
  };
}
