// What moves numbers without computing any: columns out of rows and into wider ones, sums by id, zeros. A part is a share
// of the rows.
import { type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";

const floatsAt = (base: Int) => (i: Int) => base.add(i.mul(FLOAT_BYTES)).loadFloats();
const fillZeros = (k: KernelBuilder, out: Int, count: Int): void =>
  mapFloats(k, k.int(0), count, out, () => k.floats(0));

/** out: `count` of x's numbers, or zeros where x is 0. */
export const zeroKernel = defineKernel("copy or zeros", ["x", "out", "count"], (k, { x, out, count }) => {
  k.share(count, (first, end) => {
    k.when(
      x,
      () => mapFloats(k, first, end, out, floatsAt(x)),
      () => mapFloats(k, first, end, out, () => k.floats(0)),
    );
  });
});

/** out (rows, count): columns first .. first + count - 1 of x (rows, columns). */
export const columnsKernel = defineKernel(
  "columns",
  ["x", "out", "rows", "columns", "first", "count"],
  (k, { x, out, rows, columns, first, count }) => {
    k.share(rows, (firstRow, end) => {
      k.range(firstRow, end, 1, (row) => {
        const from = x.add(row.mul(columns).add(first).mul(FLOAT_BYTES));
        mapFloats(k, k.int(0), count, out.add(row.mul(count).mul(FLOAT_BYTES)), floatsAt(from));
      });
    });
  },
);

/** out (rows, columns): x (rows, count) from column `first` on, zeros elsewhere. */
export const padColumnsKernel = defineKernel(
  "padColumns",
  ["x", "out", "rows", "columns", "first", "count"],
  (k, { x, out, rows, columns, first, count }) => {
    k.share(rows, (firstRow, end) => {
      k.range(firstRow, end, 1, (row) => {
        const to = out.add(row.mul(columns).mul(FLOAT_BYTES));
        fillZeros(k, to, columns);
        const from = x.add(row.mul(count).mul(FLOAT_BYTES));
        mapFloats(k, k.int(0), count, to.add(first.mul(FLOAT_BYTES)), floatsAt(from));
      });
    });
  },
);

/** out (rows, columns) has from column `first` on x (rows, count); what else is there stays. */
export const placeColumnsKernel = defineKernel(
  "placeColumns",
  ["x", "out", "rows", "columns", "first", "count"],
  (k, { x, out, rows, columns, first, count }) => {
    k.share(rows, (firstRow, end) => {
      k.range(firstRow, end, 1, (row) => {
        const to = out.add(row.mul(columns).add(first).mul(FLOAT_BYTES));
        const from = x.add(row.mul(count).mul(FLOAT_BYTES));
        mapFloats(k, k.int(0), count, to, floatsAt(from));
      });
    });
  },
);

/** out (columns, rows): x (rows, columns) with rows as columns. A part has some rows of `out`. */
export const transposeKernel = defineKernel(
  "transpose",
  ["x", "out", "rows", "columns"],
  (k, { x, out, rows, columns }) => {
    k.share(columns, (first, end) => {
      k.range(first, end, 1, (column) => {
        const [from, to] = [x.add(column.mul(FLOAT_BYTES)), out.add(column.mul(rows).mul(FLOAT_BYTES))];
        k.range(0, rows, 1, (row) => {
          to.add(row.mul(FLOAT_BYTES)).store(from.add(row.mul(columns).mul(FLOAT_BYTES)).loadFloat());
        });
      });
    });
  },
);

/** out (count, columns): each row the sum of the rows of x whose id it is, in their order. A part has some rows of `out`. */
export const scatterAddKernel = defineKernel(
  "scatterAddRows",
  ["ids", "x", "out", "rows", "columns", "count"],
  (k, { ids, x, out, rows, columns, count }) => {
    const bytes = columns.mul(FLOAT_BYTES);
    k.share(count, (first, end) => {
      fillZeros(k, out.add(first.mul(bytes)), end.sub(first).mul(columns));
      k.range(0, rows, 1, (row) => {
        const id = ids.add(row.mul(4)).loadInt();
        k.when(id.less(first).equals(0).and(id.less(end)), () => {
          const [from, to] = [floatsAt(x.add(row.mul(bytes))), out.add(id.mul(bytes))];
          mapFloats(k, k.int(0), columns, to, (i) => floatsAt(to)(i).add(from(i)));
        });
      });
    });
  },
);
