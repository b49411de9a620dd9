// The step of products by tables that rows choose.
import type { ExtentValues } from "../../graph/index.ts";
import { PARTS_MAX } from "./control.ts";
import { ROWS_TOGETHER, gatherMatmulKernels, unitColumns } from "./kernels/gather-matmul.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { type Lower, columnsOf } from "./lower-common.ts";
import { countOf, valueOf } from "./step.ts";

/** Bytes of tables that rows meet, which make a part worth claiming: some microseconds of reading. */
const LEAST_BYTES = 32768;
const PARTS_MOST = 64;
const INT_BYTES = 4;

export const lowerGatherMatmul: Lower = (node, lowering) => {
  const [x, tables, choices, addend] = node.inputs;
  const [inner, columns] = [columnsOf(x), columnsOf(node)];
  const rows = countOf([node.shape[0]]);
  const blocks = Math.ceil(columns / unitColumns(lowering.options.machine));
  lowering.step({
    kernel: gatherMatmulKernels[addend === undefined ? "plain" : "addend"],
    words: {
      x: lowering.place(x),
      tables: lowering.place(tables),
      choices: lowering.place(choices),
      choiceBytes: choices.shape[0] === 1 ? 0 : INT_BYTES,
      addend: addend === undefined ? 0 : lowering.place(addend),
      out: lowering.place(node),
      rows,
      inner,
      columns,
    },
    parts(extents: ExtentValues): number {
      const count = valueOf(rows, extents);
      const units = Math.ceil(count / ROWS_TOGETHER) * blocks;
      const worth = Math.ceil((count * inner * columns * FLOAT_BYTES) / LEAST_BYTES);
      return Math.min(units, worth, PARTS_MOST, PARTS_MAX);
    },
  });
};
