// What an optimizer is: ops over a weight, its gradient and states of its own, run once a training step. Not here: when
// it runs and with what learning rate (the loop), which weights it has (parameter groups).
import type { Tensor } from "../../graph/index.ts";

/** One trained weight as an optimizer sees it. */
export interface Trained {
  /** The parameter's name. */
  readonly name: string;
  /** Its newest version, f32. */
  readonly weight: Tensor;
  /** Of the whole step: added up, divided by its tokens, clipped. */
  readonly gradient: Tensor;
  /** A state of the weight's shape that lasts from step to step, zero at first: `optimizer.<name>.<part>`. */
  readonly moment: (part: string) => Tensor;
  /** A number of this step, [1], by the name that `scalars` gives it. */
  readonly scalar: (name: string) => Tensor;
}

export interface Optimizer {
  readonly name: string;
  /** The new versions of the weight and of the moments, as effects of the update program. */
  update(trained: Trained): readonly Tensor[];
  /** Numbers of training step `step`, from 1 on, at a learning rate. */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
}
