// Sums. Those over many rows are made of sums over blocks, whose bounds depend on the shape alone; a second step adds
// these up in order. A part is a share of the blocks, the rows, or the results.
import { type Floats, type Int, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats, sumFloats } from "./loops.ts";

/** Rows, and elements, of a block. */
export const SUM_ROWS = 64;
export const SUM_ELEMENTS = 16384;
/** Registers of columns that are summed at once. */
const REGISTERS = 4;
/** Blocks' sums lie so many columns apart: two whole registers on every machine, which tile-forms.ts sums at once. */
export const sumStride = (columns: number): number => Math.ceil(columns / 32) * 32;

/** out (blocks, stride): of each block of rows of x (rows, columns) the sums by column modulo `size`. */
export const blockRowSumsKernel = defineKernel(
  "sumRows.blocks",
  ["x", "out", "rows", "columns", "size", "stride"],
  (k, { x, out, rows, columns, size, stride }) => {
    const rowBytes = columns.mul(FLOAT_BYTES);
    const sizeBytes = size.mul(FLOAT_BYTES);
    const registerBytes = k.lanes * FLOAT_BYTES;
    k.share(rows.add(SUM_ROWS - 1).div(SUM_ROWS), (first, end) => {
      k.range(first, end, 1, (block) => {
        const from = x.add(block.mul(SUM_ROWS).mul(rowBytes));
        const count = rows.sub(block.mul(SUM_ROWS)).min(SUM_ROWS);
        const to = out.add(block.mul(stride).mul(FLOAT_BYTES));
        const sum = (at: Int, registers: number): void => {
          const sums = k.variables(registers, k.floats(0));
          k.range(0, count, 1, (row) => {
            k.range(0, rowBytes, sizeBytes, (group) => {
              const values = from.add(row.mul(rowBytes)).add(group).add(at);
              sums.forEach((sum, n) => (sum.value = sum.value.add(values.loadFloats(n * registerBytes))));
            });
          });
          sums.forEach((sum, n) => to.add(at).store(sum.value, n * registerBytes));
        };
        const whole = sizeBytes.sub(REGISTERS * registerBytes - 1);
        const most = sizeBytes.div(REGISTERS * registerBytes).mul(REGISTERS * registerBytes);
        k.range(0, whole, REGISTERS * registerBytes, (at) => sum(at, REGISTERS));
        k.range(most, sizeBytes, registerBytes, (at) => sum(at, 1));
      });
    });
  },
);

/** out (size): the sum of the blocks of `rows` rows, which lie `stride` columns apart. */
export const addBlocksKernel = defineKernel(
  "sumRows.end",
  ["x", "out", "rows", "size", "stride"],
  (k, { x, out, rows, size, stride }) => {
    const blocks = rows.add(SUM_ROWS - 1).div(SUM_ROWS);
    const bytes = stride.mul(FLOAT_BYTES);
    k.share(size.add(15).div(16), (first, end) => {
      mapFloats(k, first.mul(16), end.mul(16).min(size), out, (i) => {
        const sum = k.variable(k.floats(0));
        k.range(0, blocks, 1, (block) => {
          sum.value = sum.value.add(x.add(block.mul(bytes)).add(i.mul(FLOAT_BYTES)).loadFloats());
        });
        return sum.value;
      });
    });
  },
);

const floatsAt =
  (base: Int) =>
  (i: Int): Floats =>
    base.add(i.mul(FLOAT_BYTES)).loadFloats();

/** out (rows): the sum of each row of x (rows, columns). */
export const sumColumnsKernel = defineKernel("sumColumns", ["x", "out", "rows", "columns"], (k, w) => {
  k.share(w.rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const sum = sumFloats(k, w.columns, floatsAt(w.x.add(row.mul(w.columns).mul(FLOAT_BYTES))));
      w.out.add(row.mul(FLOAT_BYTES)).store(sum.lane(0));
    });
  });
});

/** out (blocks): the sum of each block of elements of x (count). */
export const blockSumsKernel = defineKernel("sumAll.blocks", ["x", "out", "count"], (k, { x, out, count }) => {
  k.share(count.add(SUM_ELEMENTS - 1).div(SUM_ELEMENTS), (first, end) => {
    k.range(first, end, 1, (block) => {
      const start = block.mul(SUM_ELEMENTS);
      const sum = sumFloats(k, count.sub(start).min(SUM_ELEMENTS), floatsAt(x.add(start.mul(FLOAT_BYTES))));
      out.add(block.mul(FLOAT_BYTES)).store(sum.lane(0));
    });
  });
});

/** out [1]: the sum of x's blocks, of `count` elements in all. In one part. */
export const addAllKernel = defineKernel("sumAll.end", ["x", "out", "count"], (k, { x, out, count }) => {
  out.store(sumFloats(k, count.add(SUM_ELEMENTS - 1).div(SUM_ELEMENTS), floatsAt(x)).lane(0));
});
