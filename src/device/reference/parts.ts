// Rows of weighted parts, by plain loops.
import { dotPartsOp, mixPartsOp, spreadPartsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const mixParts = evaluation(mixPartsOp, ([parts, weights], _, __, { rows, columns }) => {
  const out = Matrix.zeros(rows, columns);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < parts.columns; i++) {
      out.row(n)[i % columns] += weights.row(n)[Math.floor(i / columns)] * parts.row(n)[i];
    }
  }
  return out;
});

export const spreadParts = evaluation(spreadPartsOp, ([x, weights], _, __, { rows, columns }) => {
  const out = Matrix.zeros(rows, columns);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < columns; i++) {
      out.row(n)[i] = weights.row(n)[Math.floor(i / x.columns)] * x.row(n)[i % x.columns];
    }
  }
  return out;
});

export const dotParts = evaluation(dotPartsOp, ([parts, x], _, __, { rows, columns }) => {
  const out = Matrix.zeros(rows, columns);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < parts.columns; i++) {
      out.row(n)[Math.floor(i / x.columns)] += parts.row(n)[i] * x.row(n)[i % x.columns];
    }
  }
  return out;
});
