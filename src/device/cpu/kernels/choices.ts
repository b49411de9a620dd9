// Columns that rows choose (graph/ops/choices.ts): a few largest of some hundred values, one after the other. A part is a
// share of the rows. Whatever the values are, what is chosen are columns that there are: others name experts by them.
import { type Float, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers } from "./loops.ts";

const at = (base: Int, i: Int): Int => base.add(i.mul(FLOAT_BYTES));

/** The number of the largest of `count` f32 at `from`, which end with a whole register of scratch; of equals the first. */
function largestOf(k: KernelBuilder, from: Int, count: Int): { readonly index: Int; readonly value: Float } {
  const most = k.variable(k.floats(-Infinity));
  k.range(0, count, k.lanes, (i) => (most.value = most.value.max(at(from, i).loadFloats())));
  const value = most.value.maximum();
  const index = k.variable(count);
  // what is not less is as large, or no number at all
  k.range(
    0,
    count,
    1,
    (i) => (index.value = at(from, i).loadFloat().less(value).select(index.value, index.value.min(i))),
  );
  return { index: index.value.min(count.sub(1)), value };
}

/** Scratch: a register for tails, values, groups' scores. */
const VALUES = 64;
/** The most columns of a row, and groups of them. */
export const COLUMNS_MOST = 4096;
const SCORES = VALUES + COLUMNS_MOST * FLOAT_BYTES;

/** Fills what is left of a register behind the first `count` floats. */
function endWithLeast(k: KernelBuilder, from: Int, count: Int): void {
  const tail = count.and(-k.lanes);
  k.when(tail.less(count), () => {
    const place = at(from, tail);
    place.store(laneNumbers(k).less(count.sub(tail).toFloat().splat()).selectFloats(place.loadFloats(), -Infinity));
  });
}

/**
 * out (rows, count) i32. Of `groups` groups (0: none) the `kept` best are looked into; a group scores its largest value, or
 * the sum of its two largest where `two` is 1.
 */
export const topColumnsKernel = defineKernel(
  "topColumns",
  ["x", "out", "rows", "columns", "count", "groups", "kept", "two"],
  (k, { x, out, rows, columns, count, groups, kept, two }) => {
    const [values, scores] = [k.scratch.add(VALUES), k.scratch.add(SCORES)];
    const copy = (from: Int, to: Int, size: Int): void => {
      k.range(0, size, k.lanes, (i) => at(to, i).store(at(from, i).loadFloats()));
      endWithLeast(k, to, size);
    };
    const takeAway = (from: Int, index: Int): void => at(from, index).store(k.float(-Infinity));
    const keepGroups = (row: Int): void => {
      const size = columns.div(groups);
      k.range(0, groups, 1, (group) => {
        copy(at(row, group.mul(size)), values, size);
        const best = largestOf(k, values, size);
        const score = k.variable(best.value);
        k.when(two, () => {
          takeAway(values, best.index);
          score.value = score.value.add(largestOf(k, values, size).value);
        });
        at(scores, group).store(score.value);
      });
      endWithLeast(k, scores, groups);
      // columns of groups that are not kept stay the least that there is
      k.range(0, columns, k.lanes, (i) => at(values, i).store(k.floats(-Infinity)));
      k.range(0, kept, 1, () => {
        const { index } = largestOf(k, scores, groups);
        const first = index.mul(size);
        k.range(first, first.add(size), 1, (i) => at(values, i).store(at(row, i).loadFloat()));
        takeAway(scores, index);
      });
    };
    k.share(rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const from = at(x, row.mul(columns));
        k.when(
          groups,
          () => keepGroups(from),
          () => copy(from, values, columns),
        );
        k.range(0, count, 1, (j) => {
          const { index } = largestOf(k, values, columns);
          at(out, row.mul(count).add(j)).store(index);
          takeAway(values, index);
        });
      });
    });
  },
);

/** out (rows, count): x (rows, columns) at the columns that `ids` (rows, count) i32 names. */
export const gatherColumnsKernel = defineKernel(
  "gatherColumns",
  ["x", "ids", "out", "rows", "columns", "count"],
  (k, { x, ids, out, rows, columns, count }) => {
    k.share(rows, (first, end) => {
      k.range(first.mul(count), end.mul(count), 1, (i) => {
        const column = at(ids, i).loadInt();
        at(out, i).store(at(x, i.div(count).mul(columns).add(column)).loadFloat());
      });
    });
  },
);

/** out (rows, columns): zeros, to which x (rows, count) is added at the columns that `ids` names. */
export const scatterColumnsKernel = defineKernel(
  "scatterColumns",
  ["x", "ids", "out", "rows", "columns", "count"],
  (k, { x, ids, out, rows, columns, count }) => {
    k.share(rows, (first, end) => {
      k.range(first.mul(columns), end.mul(columns), 1, (i) => at(out, i).store(k.float(0)));
      k.range(first.mul(count), end.mul(count), 1, (i) => {
        const place = at(out, i.div(count).mul(columns).add(at(ids, i).loadInt()));
        place.store(place.loadFloat().add(at(x, i).loadFloat()));
      });
    });
  },
);
