// Steps of products with chosen experts that only training has: by weights that are trained, and gradients. Weights of a
// file are read as f32 where a gradient flows through them.
import { type Tensor, attributesOf, expertLinearOp, expertProductsOp, expertTransposedOp } from "../../graph/index.ts";
import {
  UNIT_OUTPUTS,
  UNIT_ROWS,
  expertLinearKernel,
  expertProductsKernel,
  expertTransposedKernel,
  unitColumns,
} from "./kernels/expert-floats.ts";
import { tasksMost } from "./kernels/group-rows.ts";
import { type Lower, columnsOf } from "./lower-common.ts";
import { grouped } from "./lower-experts.ts";
import { countOf, valueOf } from "./step.ts";

/** Rows of a task: what of them a unit meets stays in the nearer caches. */
const TASK_ROWS = 64;
/** Rows come uneven, so that there are more parts than threads by far. */
const PARTS_MOST = 128;

const sharedBy = (x: Tensor, choices: Tensor, inner: number): number =>
  columnsOf(x) === inner ? columnsOf(choices) : 1;

/** Parts of a step whose units are so many for each task. */
const taskParts = (choices: Tensor, experts: number, units: number) => {
  const count = countOf(choices.shape);
  return (extents: Parameters<typeof valueOf>[1]): number =>
    Math.min(tasksMost(valueOf(count, extents), experts, TASK_ROWS) * units, PARTS_MOST);
};

const expertLinear: Lower = (node, lowering) => {
  const [x, weight, choices] = node.inputs;
  const { experts } = attributesOf(node, expertLinearOp);
  const [outer, inner] = [(weight.shape[0] as number) / experts, columnsOf(weight)];
  const { tasks, order } = grouped(choices, experts, TASK_ROWS, lowering);
  const places = { x: lowering.place(x), weight: lowering.place(weight), out: lowering.place(node) };
  lowering.step({
    kernel: expertLinearKernel,
    words: { ...places, tasks, order, shared: sharedBy(x, choices, inner), outer, inner },
    parts: taskParts(choices, experts, Math.ceil(outer / UNIT_OUTPUTS)),
  });
};

const expertTransposed: Lower = (node, lowering) => {
  const [y, weight, choices] = node.inputs;
  const { experts } = attributesOf(node, expertTransposedOp);
  const [outer, inner] = [(weight.shape[0] as number) / experts, columnsOf(weight)];
  const { tasks, order } = grouped(choices, experts, TASK_ROWS, lowering);
  const places = { y: lowering.place(y), weight: lowering.place(weight), out: lowering.place(node) };
  lowering.step({
    kernel: expertTransposedKernel,
    words: { ...places, tasks, order, outer, inner },
    parts: taskParts(choices, experts, Math.ceil(inner / unitColumns(lowering.options.machine))),
  });
};

const expertProducts: Lower = (node, lowering) => {
  const [y, x, choices] = node.inputs;
  const { experts, inner } = attributesOf(node, expertProductsOp);
  const outer = (node.shape[0] as number) / experts;
  const { starts, order } = grouped(choices, experts, TASK_ROWS, lowering);
  const places = { y: lowering.place(y), x: lowering.place(x), out: lowering.place(node) };
  const units = experts * Math.ceil(outer / UNIT_ROWS) * Math.ceil(inner / unitColumns(lowering.options.machine));
  lowering.step({
    kernel: expertProductsKernel,
    words: { ...places, starts, order, shared: sharedBy(x, choices, inner), experts, outer, inner },
    parts: () => Math.min(units, PARTS_MOST),
  });
};

export const lowerings: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  [expertLinearOp.name, expertLinear],
  [expertTransposedOp.name, expertTransposed],
  [expertProductsOp.name, expertProducts],
]);
