// Element-wise ops: the scalar functions that the ops themselves carry.
import { binaryFunctions, binaryOp, constantOp, scaleOp, unaryFunctions, unaryOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

function map(x: Rows, f: (value: number, n: number, column: number) => number): Matrix {
  const out = Matrix.zeros(x.rows, x.columns);
  for (let n = 0; n < x.rows; n++) {
    const values = x.row(n);
    const results = out.row(n);
    for (let c = 0; c < x.columns; c++) results[c] = f(values[c], n, c);
  }
  return out;
}

export const unary = evaluation(unaryOp, ([x], { kind }) => map(x, unaryFunctions[kind]));

export const binary = evaluation(binaryOp, ([a, b], { kind }) =>
  map(a, (value, n, c) => binaryFunctions[kind](value, b.row(n)[c])),
);

export const scale = evaluation(scaleOp, ([x], { factor }) => map(x, (value) => value * factor));

export const constant = evaluation(constantOp, (_, { value }) => new Matrix(Float64Array.of(value), 1, 1));
