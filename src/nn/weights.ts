// Looks up the weights of one part of a model by their names inside that part, so that a part needs to know neither the
// layer's number nor which optional weights (biases, norms) its family has.
import { ShapeError } from "../base/errors.ts";
import { type Tensor, linear } from "../graph/index.ts";

export interface Weights {
  /** The weight; throws ShapeError when the model has none of that name. */
  get(name: string): Tensor;
  /** The weight where the model has one. */
  find(name: string): Tensor | undefined;
  /** The weights under `prefix`. */
  at(prefix: string): Weights;
}

/** `trace` gives the traced parameter of a full name, `names` says which there are. */
export function weightsOf(
  names: { has(name: string): boolean },
  trace: (name: string) => Tensor,
  prefix = "",
): Weights {
  const find = (name: string): Tensor | undefined => (names.has(prefix + name) ? trace(prefix + name) : undefined);
  return {
    find,
    get(name) {
      const found = find(name);
      if (found === undefined)
        throw new ShapeError(`weight ${prefix}${name}`, "no such weight", "one in the loading map");
      return found;
    },
    at: (part) => weightsOf(names, trace, `${prefix}${part}.`),
  };
}

/** x (N, K) by `name`.weight (M, K), and `name`.bias (M) where there is one -> (N, M). */
export function project(x: Tensor, weights: Weights, name: string): Tensor {
  return linear(x, weights.get(`${name}.weight`), weights.find(`${name}.bias`));
}
