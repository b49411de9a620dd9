// What an optimizer is: ops over a weight, its gradient and states of its own, run once a training step. Not here: when
// it runs and with what learning rate (the loop), which weights it has (parameter groups).
import { type Tensor, add, assign, scale } from "../../graph/index.ts";

/** One trained weight as an optimizer sees it. */
export interface Trained {
  /** The parameter's name. */
  readonly name: string;
  /** Its newest version, f32. */
  readonly weight: Tensor;
  /** Of the whole step: added up, divided by its tokens, clipped. */
  readonly gradient: Tensor;
  /** A state, `optimizer.<name>.<part>`, that lasts from step to step, zero at first; default: of the weight's shape. */
  readonly moment: (part: string, shape?: readonly number[]) => Tensor;
  /** A number of this step, [1], by the name that `scalars` gives it. */
  readonly scalar: (name: string) => Tensor;
}

export interface Optimizer {
  readonly name: string;
  /** The new versions of the weight and of the moments, as effects of the update program. */
  update(trained: Trained): readonly Tensor[];
  /** Numbers of the update `step`, from 1 on, at a learning rate. */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
}

/** What every optimizer may be given. */
export interface RateOptions {
  /** The learning rate of these weights, of the run's; default 1. */
  readonly rate?: number;
  /** An update takes learning rate times this off each weight; default 0. */
  readonly weightDecay?: number;
}

/** The moment's new version: β of what it was and 1 - β of `value`. */
export const blend = (moment: Tensor, value: Tensor, beta: number): Tensor =>
  assign(moment, add(scale(moment, beta), scale(value, 1 - beta)));
