// Looks up the weights of one part of a model by their names inside that part, so that a part needs to know neither the
// layer's number nor which optional weights (biases, norms) its family has.
import { ShapeError } from "../base/errors.ts";
import { type Tensor, linear } from "../graph/index.ts";

/** One of a model's projections: W (M, K) and b (M), by the name that `.weight` and `.bias` have in front. */
export interface Projected {
  readonly name: string;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** How rows x (N, K) go through a projection -> (N, M): as it is, or with an adapter beside it. */
export type Projection = (x: Tensor, projected: Projected) => Tensor;

/** x Wᵀ + b. */
export const plainProjection: Projection = (x, { weight, bias }) => linear(x, weight, bias);

export interface Weights {
  /** The weight; throws ShapeError when the model has none of that name. */
  get(name: string): Tensor;
  /** The weight where the model has one. */
  find(name: string): Tensor | undefined;
  /** x (N, K) by `name`.weight (M, K), and `name`.bias (M) where there is one -> (N, M). */
  project(x: Tensor, name: string): Tensor;
  /** The weights under `prefix`. */
  at(prefix: string): Weights;
}

/** `trace` gives the traced parameter of a full name, `names` says which there are. */
export function weightsOf(
  names: { has(name: string): boolean },
  trace: (name: string) => Tensor,
  projection: Projection,
  prefix = "",
): Weights {
  const find = (name: string): Tensor | undefined => (names.has(prefix + name) ? trace(prefix + name) : undefined);
  const get = (name: string): Tensor => {
    const found = find(name);
    if (found === undefined)
      throw new ShapeError(`weight ${prefix}${name}`, "no such weight", "one in the loading map");
    return found;
  };
  return {
    find,
    get,
    project: (x, name) =>
      projection(x, { name: prefix + name, weight: get(`${name}.weight`), bias: find(`${name}.bias`) }),
    at: (part) => weightsOf(names, trace, projection, `${prefix}${part}.`),
  };
}
