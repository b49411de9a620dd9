// Rows of weighted parts (graph/ops/parts.ts). A part of a step is a share of the rows, cut into pieces of columns, so that
// one long row is several threads' work.
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, ceilDiv, mapFloats, sumFloats } from "./loops.ts";

/** Columns of a piece: whole registers on every machine. */
export const PIECE_COLUMNS = 256;

const at = (base: Int, i: Int): Int => base.add(i.mul(FLOAT_BYTES));

/** Calls `body` with the row and the columns [first, end) of each piece of this part's share. */
function eachPiece(k: KernelBuilder, rows: Int, columns: Int, body: (row: Int, first: Int, end: Int) => void): void {
  const pieces = ceilDiv(columns, PIECE_COLUMNS);
  k.share(rows.mul(pieces), (firstPiece, endPiece) => {
    k.range(firstPiece, endPiece, 1, (piece) => {
      const first = piece.rem(pieces).mul(PIECE_COLUMNS);
      body(piece.div(pieces), first, first.add(PIECE_COLUMNS).min(columns));
    });
  });
}

/** out (rows, columns) = Σ_j weights (rows, count) parts (rows, count * columns). */
export const mixPartsKernel = defineKernel(
  "mixParts",
  ["parts", "weights", "out", "rows", "columns", "count"],
  (k, { parts, weights, out, rows, columns, count }) => {
    eachPiece(k, rows, columns, (row, first, end) => {
      const [from, shares] = [at(parts, row.mul(count).mul(columns)), at(weights, row.mul(count))];
      mapFloats(k, first, end, at(out, row.mul(columns)), (i): Floats => {
        const sum = k.variable(k.floats(0));
        k.range(0, count, 1, (j) => {
          const values = at(from, j.mul(columns).add(i)).loadFloats();
          sum.value = at(shares, j).splatFloats().madd(values, sum.value);
        });
        return sum.value;
      });
    });
  },
);

/** out (rows, count * columns) = weights (rows, count) times x (rows, columns). */
export const spreadPartsKernel = defineKernel(
  "spreadParts",
  ["x", "weights", "out", "rows", "columns", "count"],
  (k, { x, weights, out, rows, columns, count }) => {
    eachPiece(k, rows.mul(count), columns, (part, first, end) => {
      const [from, share] = [at(x, part.div(count).mul(columns)), at(weights, part).splatFloats()];
      mapFloats(k, first, end, at(out, part.mul(columns)), (i) => at(from, i).loadFloats().mul(share));
    });
  },
);

/** out (rows, count) = Σ_c parts (rows, count * columns) x (rows, columns). */
export const dotPartsKernel = defineKernel(
  "dotParts",
  ["parts", "x", "out", "rows", "columns", "count"],
  (k, { parts, x, out, rows, columns, count }) => {
    k.share(rows.mul(count), (first, end) => {
      k.range(first, end, 1, (part) => {
        const [left, right] = [at(parts, part.mul(columns)), at(x, part.div(count).mul(columns))];
        const sum = sumFloats(k, columns, (i) => at(left, i).loadFloats().mul(at(right, i).loadFloats()));
        at(out, part).store(sum.lane(0));
      });
    });
  },
);
