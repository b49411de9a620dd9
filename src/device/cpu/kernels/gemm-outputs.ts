// What every product of two matrices (gemm-floats.ts, gemm-tiles.ts) shares: the words of its record, how the outputs are
// cut into units, and how sums are finished: bias, activation, residual, stored, cut at the last column.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { unary } from "./elementwise.ts";
import { FLOAT_BYTES, LINE_BYTES, ceilDiv } from "./loops.ts";
import { registersThatAre } from "./outputs.ts";

/** Columns of the outputs that one panel of the second operand makes. */
export const OUTER_PANEL = 32;

/**
 * out (M, N) = f(a · b + bias) + residual, with a and b in the kernel's packed form. bias: f32 (N), or address 0;
 * residual: f32 (M, N), or 0; it may be `out`'s own place, to which the products are then added. `rows` is M, `columns`
 * K, `outer` N; `unitRows` and `unitOuter`: panels of rows and of outputs that a unit takes.
 */
export const gemmWords = [
  "a",
  "b",
  "bias",
  "residual",
  "out",
  "rows",
  "columns",
  "outer",
  "unitRows",
  "unitOuter",
] as const;
export type GemmWord = (typeof gemmWords)[number];
export type GemmValues = Readonly<Record<GemmWord, Int>>;

/** What is done to sums and bias before the residual is added. */
export type Activation = ActivationName | "none";
export const activations = ["none", ...(Object.keys(unary) as ActivationName[])] as const;

/** Something for each activation, with what it adds to kernels' names. */
export const byActivation = <T>(make: (activation: Activation, suffix: string) => T): Readonly<Record<Activation, T>> =>
  Object.fromEntries(activations.map((name) => [name, make(name, name === "none" ? "" : `.then.${name}`)])) as Record<
    Activation,
    T
  >;

/** A block of outputs: panels of rows from `firstRows` on by panels of outputs from `firstOuter` on. */
export interface GemmUnit {
  readonly firstRows: Int;
  readonly rowCount: Int;
  readonly firstOuter: Int;
  readonly outerCount: Int;
}

/** Calls `body` with the units of this part's share. `rowPanel`: rows of a panel. */
export function eachUnit(k: KernelBuilder, w: GemmValues, rowPanel: number, body: (unit: GemmUnit) => void): void {
  const [rowPanels, outerPanels] = [ceilDiv(w.rows, rowPanel), ceilDiv(w.outer, OUTER_PANEL)];
  const across = ceilDiv(outerPanels, w.unitOuter);
  k.share(across.mul(ceilDiv(rowPanels, w.unitRows)), (first, end) => {
    k.range(first, end, 1, (unit) => {
      const firstRows = unit.div(across).mul(w.unitRows);
      const firstOuter = unit.rem(across).mul(w.unitOuter);
      body({
        firstRows,
        rowCount: rowPanels.sub(firstRows).min(w.unitRows),
        firstOuter,
        outerCount: outerPanels.sub(firstOuter).min(w.unitOuter),
      });
    });
  });
}

/** Outputs of so many bytes pass the caches by: most of them would leave the second levels before they are read. Of bench/gemm.ts. */
const PASSING_BYTES = 4 << 20;

/** Bytes of scratch, its first ones, that `finishRow` uses. */
export const GEMM_TAIL_BYTES = OUTER_PANEL * FLOAT_BYTES;

/** Rows of a panel from `first` on, below `end`; outputs of the panel from `outer` on. */
export interface FinishedRows {
  readonly first: Int;
  readonly end: Int;
  readonly outer: Int;
  /** The sums of a row for the panel's outputs. */
  readonly sums: (row: Int) => readonly Floats[];
}

/** Finishes and stores sums for a panel's outputs, those that there are. */
export function finishRows(k: KernelBuilder, w: GemmValues, activation: Activation, rows: FinishedRows): void {
  const { first, end, outer } = rows;
  const offsets = Array.from({ length: OUTER_PANEL / k.lanes }, (_, n) => n * k.lanes * FLOAT_BYTES);
  const biases = offsets.map(() => k.variable(k.floats(0)));
  k.when(w.bias, () => {
    const bias = w.bias.add(outer.mul(FLOAT_BYTES));
    const read = registersThatAre(k, w.outer.sub(outer), biases.length);
    biases.forEach((value, n) => (value.value = bias.add(read[n]).loadFloats()));
  });
  const rowBytes = w.outer.mul(FLOAT_BYTES);
  const isAligned = w.out
    .or(rowBytes)
    .and(LINE_BYTES - 1)
    .equals(0);
  const passes = isAligned.and(k.int(PASSING_BYTES - 1).less(w.rows.mul(rowBytes)));
  const place = outer.mul(FLOAT_BYTES);
  const each = (store: (at: Int, values: readonly Floats[]) => void): void =>
    k.range(first, end, 1, (row) => {
      const sums = rows.sums(row).map((sum, n) => sum.add(biases[n].value));
      const values = activation === "none" ? sums : sums.map((sum) => unary[activation](sum, k));
      store(row.mul(rowBytes).add(place), values);
    });
  k.when(
    w.outer.less(outer.add(OUTER_PANEL)),
    () =>
      each((at, values) => {
        values.forEach((value, n) => k.scratch.store(value, offsets[n]));
        k.range(0, w.outer.sub(outer).mul(FLOAT_BYTES), FLOAT_BYTES, (i) => {
          const value = k.variable(k.scratch.add(i).loadFloat());
          k.when(w.residual, () => (value.value = value.value.add(w.residual.add(at).add(i).loadFloat())));
          w.out.add(at).add(i).store(value.value);
        });
      }),
    () =>
      k.when(
        w.residual,
        () =>
          each((at, values) => {
            const residual = w.residual.add(at);
            values.forEach((value, n) => w.out.add(at).store(value.add(residual.loadFloats(offsets[n])), offsets[n]));
          }),
        () =>
          k.when(
            passes,
            () => each((at, values) => values.forEach((value, n) => w.out.add(at).storeOnce(value, offsets[n]))),
            () => each((at, values) => values.forEach((value, n) => w.out.add(at).store(value, offsets[n]))),
          ),
      ),
  );
}
