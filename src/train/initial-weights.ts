// The weights that training starts from, where there are none yet.
import { uniform } from "../base/random.ts";
import { type Model, weightState } from "../models/index.ts";

/** The stream of `uniform` that initial weights use; a weight's own is this plus its place in the model. */
const FIRST_STREAM = 2 ** 20;
const DEVIATION = 0.02;

/**
 * Fills the weights of a new model: matrices with normal numbers of standard deviation 0.02, those that add to the
 * residual stream with 0.02 / sqrt(2 L) (Radford et al. 2019), gains with 1, biases with 0. Equal seeds: equal bytes.
 */
export function initialiseWeights(model: Model, states: Readonly<Record<string, Float32Array>>, seed: number): void {
  for (const [place, [name, { vector }]] of [...model.parameters].entries()) {
    const weights = states[weightState(name)];
    if (vector) weights.fill(/bias$/i.test(name) ? 0 : 1);
    else {
      const isResidual = /\.((attention|cross)\.output|(mlp|experts|shared)\.down)\./.test(name);
      fillNormal(weights, isResidual ? DEVIATION / Math.sqrt(2 * model.layers) : DEVIATION, seed, FIRST_STREAM + place);
    }
  }
}

/** Box and Muller 1958: two uniform numbers make two normal ones. */
function fillNormal(into: Float32Array, deviation: number, seed: number, stream: number): void {
  for (let i = 0; i < into.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform(seed, stream, i)));
    const angle = 2 * Math.PI * uniform(seed, stream, i + 1);
    into[i] = radius * Math.cos(angle);
    if (i + 1 < into.length) into[i + 1] = radius * Math.sin(angle);
  }
}
