// Rows as columns.
import { transposeOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { transposed } from "./matmul.ts";

export const transpose = evaluation(transposeOp, ([x]) => transposed(x));
