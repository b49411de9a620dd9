// Rows of state: `writeRows` stores rows at slots, as f32 or rounded to f16. A part is a share of the rows.
import { type Kernel, defineKernel } from "../../../lanes/index.ts";
import { storeCachedF16 } from "./key-blocks.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";

const words = ["state", "slots", "x", "rows", "columns"] as const;
const HALF_BYTES = 2;

const writeF32 = defineKernel("writeRows.f32", words, (k, { state, slots, x, rows, columns }) => {
  k.share(rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const slot = slots.add(row.mul(4)).loadInt();
      const from = x.add(row.mul(columns).mul(FLOAT_BYTES));
      const to = state.add(slot.mul(columns).mul(FLOAT_BYTES));
      mapFloats(k, k.int(0), columns, to, (i) => from.add(i.mul(FLOAT_BYTES)).loadFloats());
    });
  });
});

const writeF16 = defineKernel("writeRows.f16", words, (k, { state, slots, x, rows, columns }) => {
  const whole = columns.and(-k.lanes);
  k.share(rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const slot = slots.add(row.mul(4)).loadInt();
      const from = x.add(row.mul(columns).mul(FLOAT_BYTES));
      const to = state.add(slot.mul(columns).mul(HALF_BYTES));
      k.range(0, whole, k.lanes, (i) => {
        storeCachedF16(k, to.add(i.mul(HALF_BYTES)), from.add(i.mul(FLOAT_BYTES)).loadFloats());
      });
      k.when(whole.less(columns), () => {
        storeCachedF16(k, k.scratch, from.add(whole.mul(FLOAT_BYTES)).loadFloats());
        k.range(0, columns.sub(whole).mul(HALF_BYTES), 1, (at) => {
          to.add(whole.mul(HALF_BYTES)).add(at).storeByte(k.scratch.add(at).loadByte());
        });
      });
    });
  });
});

export const writeRowsKernels: Readonly<Record<"f32" | "f16", Kernel<(typeof words)[number]>>> = {
  f32: writeF32,
  f16: writeF16,
};

/** out[i] = table[ids[i]] where the table is f32 rows in the arena. */
export const gatherRowsKernel = defineKernel(
  "gather.rows",
  ["table", "ids", "out", "rows", "columns"],
  (k, { table, ids, out, rows, columns }) => {
    k.share(rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const from = table.add(ids.add(row.mul(4)).loadInt().mul(columns).mul(FLOAT_BYTES));
        mapFloats(k, k.int(0), columns, out.add(row.mul(columns).mul(FLOAT_BYTES)), (i) =>
          from.add(i.mul(FLOAT_BYTES)).loadFloats(),
        );
      });
    });
  },
);
