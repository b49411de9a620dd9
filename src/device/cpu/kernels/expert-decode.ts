// The frame of the decode class (linear-decode.ts) where rows choose experts: a unit is 16 or 32 outputs of the rows of one
// task (group-rows.ts), so that of the experts those are read that somebody chose, each once.
import { getOrMake } from "../../../base/collections.ts";
import { type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { taskAt, taskCount } from "./group-rows.ts";
import { type DecodeStep, type Words, computeUnit, labelOf, unitOutputs } from "./linear-decode.ts";
import { ceilDiv } from "./loops.ts";

const kernels = new Map<string, Kernel>();

/**
 * The kernel: words x, columns; tasks, order; shared: choices that share a row of x; weightN, and matrixN, the bytes of
 * one expert's, for each weight N; biasN (0); outer0, out0, rounded0. Rows of results are choices.
 */
export function expertDecodeKernel(step: DecodeStep): Kernel {
  const label = `expert.${labelOf(step)}`;
  return getOrMake(kernels, label, () => defineKernel(label, wordsOf(step), (k, words) => body(k, step, words)));
}

function wordsOf({ cores, floats, rounded }: DecodeStep): string[] {
  const ofWeights = Array.from(cores.keys()).flatMap((n) => [`weight${n}`, `matrix${n}`, `bias${n}`]);
  const results = ["outer0", ...(floats ? ["out0"] : []), ...(rounded ? ["rounded0"] : [])];
  return ["x", "columns", "tasks", "order", "shared", ...ofWeights, ...results];
}

function body(k: KernelBuilder, step: DecodeStep, words: Words): void {
  const units = ceilDiv(words.outer0, unitOutputs(step));
  k.shareTapering(taskCount(words.tasks).mul(units), (first, end) => {
    k.range(first, end, 1, (unit) => {
      const { expert, rows, choice } = taskAt({ tasks: words.tasks, order: words.order }, unit.div(units));
      const weights = step.cores.map((_, n) => [
        `weight${n}`,
        words[`weight${n}`].add(expert.mul(words[`matrix${n}`])),
      ]);
      const ofExpert: Words = { ...words, ...Object.fromEntries(weights) };
      const frame = {
        words: ofExpert,
        rows: { count: rows, source: (row: typeof rows) => choice(row).div(words.shared), target: choice },
        pick: (name: string) => ofExpert[`${name}0`],
      };
      computeUnit(k, step, step.cores[0], frame, unit.rem(units).mul(unitOutputs(step)));
    });
  });
}
