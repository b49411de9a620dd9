// The largest number of every block of columns of a row; NaN where a block has a NaN or +Infinity. A part is a share of the
// blocks of all rows.
import { type Floats, type Int, type Ints, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers } from "./loops.ts";

const NAN_BITS = 0x7fc00000;

/** x: rows of `columns` f32; out: as many rows of ceil(columns / size). */
export const blockMaxKernel = defineKernel(
  "blockMax",
  ["x", "out", "rows", "columns", "size"],
  (k, { x, out, rows, columns, size }) => {
    const blocks = columns.add(size).sub(1).div(size);
    k.share(rows.mul(blocks), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [row, block] = [unit.div(blocks), unit.rem(blocks)];
        const start = block.mul(size);
        const count = columns.sub(start).min(size);
        const from = x.add(row.mul(columns).add(start).mul(FLOAT_BYTES));
        const most = k.variable(k.floats(-Infinity));
        const isBelow = k.variable(k.ints(-1)); // lanes whose numbers are all below Infinity
        const take = (values: Floats): void => {
          most.value = most.value.max(values);
          isBelow.value = isBelow.value.and(values.less(Infinity));
        };
        const at = (i: Int): Floats => from.add(i.mul(FLOAT_BYTES)).loadFloats();
        k.range(0, count.sub(k.lanes - 1), k.lanes, (i) => take(at(i)));
        const tail = count.and(-k.lanes);
        k.when(tail.less(count), () => {
          const mask: Ints = laneNumbers(k).less(count.sub(tail).toFloat().splat());
          take(mask.selectFloats(at(tail), -Infinity));
        });
        const bad = isBelow.value.selectFloats(0, 1).maximum();
        const largest = k.float(0).less(bad).selectFloat(k.int(NAN_BITS).asFloat(), most.value.maximum());
        out.add(unit.mul(FLOAT_BYTES)).store(largest);
      });
    });
  },
);
