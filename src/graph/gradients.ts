// Reverse-mode differentiation of traced values: from a loss back to what it was made of, op by op. Each op brings its
// own rule (`Op.gradient`); the result is more of the same graph. Not here: optimizers, which are ops over states.
import { ShapeError, UnsupportedError } from "../base/errors.ts";
import { add, constant } from "./ops/elementwise.ts";
import { sameShape, showShape } from "./shape.ts";
import { type Tensor, apply, leafName } from "./tensor.ts";

export interface GradientOptions {
  /** Values taken as given: no gradient flows through them. */
  readonly fixed?: readonly Tensor[];
  /**
   * Values that are not kept for the backward pass, but computed again where it needs them: less memory, more work.
   * Leaves and states' new versions are always kept.
   */
  readonly recompute?: (tensor: Tensor) => boolean;
}

/**
 * The gradient of `loss` by each tensor of `by`, in their shapes. Where a value is read several times, what flows back
 * is added up from its last reader to its first. Throws ShapeError unless the loss has shape [1], UnsupportedError for
 * an op on the way that has no gradient, or a tensor that the loss does not depend on.
 */
export function gradients(
  loss: Tensor,
  by: readonly Tensor[],
  { fixed = [], recompute = () => false }: GradientOptions = {},
): Tensor[] {
  if (!sameShape(loss.shape, [1])) {
    throw new ShapeError("gradients: loss", showShape(loss.shape), "[1]", { hint: "Add it up with sumAll." });
  }
  const path = dependents(by, loss, new Set(fixed));
  const again = recomputation(recompute);
  const flowing = new Map<Tensor, Tensor>([[loss, constant(1)]]);
  for (const node of [...path].reverse()) {
    const dy = flowing.get(node);
    if (dy === undefined || !node.inputs.some((input) => path.has(input))) continue;
    if (node.op.gradient === undefined) throw new UnsupportedError(`The op ${node.op.name} has no gradient.`);
    const parts = node.op.gradient(again(node), dy, node.inputs.map(again), node.attributes);
    for (const [i, input] of node.inputs.entries()) {
      if (!path.has(input)) continue;
      const [part, known] = [parts[i], flowing.get(input)];
      if (part === undefined) {
        throw new UnsupportedError(`The op ${node.op.name} has no gradient by its input ${i}, ${describe(input)}.`);
      }
      flowing.set(input, known === undefined ? part : add(known, part));
    }
  }
  return by.map((tensor) => {
    const gradient = path.has(tensor) ? flowing.get(tensor) : undefined;
    if (gradient === undefined) throw new UnsupportedError(`The loss does not depend on ${describe(tensor)}.`);
    return gradient;
  });
}

const describe = (tensor: Tensor): string =>
  `${tensor.op.name} ${tensor.op.result === "leaf" ? leafName(tensor) : showShape(tensor.shape)}`;

/** Those of `by` that `loss` changes with: others, such as what only choices are made of, have no gradient. */
export function changing<T extends Tensor>(loss: Tensor, by: readonly T[]): T[] {
  const found = dependents(by, loss, new Set());
  return by.filter((tensor) => found.has(tensor));
}

/** Everything that `to` needs, itself included, in creation order. */
function ancestors(to: Tensor, ends: (tensor: Tensor) => boolean): Tensor[] {
  const reached = new Set<Tensor>();
  const pending = [to];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (reached.has(tensor) || ends(tensor)) continue;
    reached.add(tensor);
    pending.push(...tensor.inputs);
  }
  return [...reached].sort((a, b) => a.id - b.id);
}

/** What `to` needs that changes with any of `from`, in creation order. Whole numbers do not: they jump. */
function dependents(from: readonly Tensor[], to: Tensor, fixed: ReadonlySet<Tensor>): Set<Tensor> {
  const found = new Set<Tensor>();
  const sources = new Set(from);
  for (const tensor of ancestors(to, (tensor) => fixed.has(tensor) || tensor.type === "i32")) {
    if (sources.has(tensor) || tensor.inputs.some((input) => found.has(input))) found.add(tensor);
  }
  return found;
}

/** Gives a value as the backward pass reads it: itself, or computed again from what is kept. */
function recomputation(recompute: (tensor: Tensor) => boolean): (tensor: Tensor) => Tensor {
  const copies = new Map<Tensor, Tensor>();
  const isKept = (tensor: Tensor): boolean => tensor.op.result !== "fresh" || !recompute(tensor);
  const read = (tensor: Tensor): Tensor => copies.get(tensor) ?? tensor;
  return (tensor) => {
    for (const lost of ancestors(tensor, (it) => isKept(it) || copies.has(it))) {
      copies.set(lost, apply(lost.op, lost.inputs.map(read), lost.attributes));
    }
    return read(tensor);
  };
}
