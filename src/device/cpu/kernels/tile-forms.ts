// Values computed element by element (expression.ts) brought to the forms in which tile products read them, in one pass:
// as rows or as outputs of a product, summed over their columns (along) or over their rows (across), as f32, and summed by
// column. 32 rows of 32 columns are computed at once. Pairs of columns side by side are rows along, pairs of rows are
// outputs across; the other two are these put upright. Functions are computed roughly where all is rounded. A part is a
// share of the pieces of 64 rows and 512 columns.
import {
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  type Variable,
  defineKernel,
} from "../../../lanes/index.ts";
import { type Expression, evaluation, labelOf, numbered, rowAddresses } from "./expression.ts";
import type { Lie } from "./gemm-pack-floats.ts";
import { putUpright, tileSteps } from "./gemm-pack-tiles.ts";
import { FLOAT_BYTES, ceilDiv, laneNumbers } from "./loops.ts";
import { roughLanes } from "./rough.ts";
import { SUM_ROWS } from "./sums.ts";
import { PANEL_ROWS, STEP_BYTES, STEP_COLUMNS, TILE_BYTES, TILE_ROWS, TILE_ROW_BYTES } from "./tiles.ts";

/** Which operand of a product a value is. */
export type TileSide = "rows" | "outer";
export type TileFormName = `${TileSide}.${Lie}`;

/** What becomes of a result: f32 as it is, forms, and sums of blocks of rows by column (sums.ts). */
export interface FormedResult {
  readonly floats: boolean;
  readonly forms: readonly TileFormName[];
  readonly sums: boolean;
}

type Words = Readonly<Record<string, Int>>;

/** What computes numbers. */
export interface FormSource {
  /** Names it among all. */
  readonly label: string;
  /** Words that it reads, besides `rows` and `width`. */
  readonly words: readonly string[];
  /** Gives for a row what gives its results from a column on; `isRounded`: to bf16, all of them. */
  readonly open: (k: KernelBuilder, w: Words, isRounded: boolean) => (row: Int) => (column: Int) => Floats[];
}

/** Words: operands and constants as expressionKernel's. An operand may be as long as a row, not shorter. */
export function expressionSource(expression: Expression): FormSource {
  const { values, results } = expression;
  return {
    label: `${values.map(labelOf).join(", ")}: ${results.join(", ")}`,
    words: [...numbered(values, "operand", "x"), ...numbered(values, "constant", "c")],
    open(k, w, isRounded) {
      const evaluate = evaluation(k, expression, w, isRounded ? roughLanes : undefined);
      return (row) => {
        const [ofRow, addresses] = [evaluate(row), rowAddresses(values, w, row.mul(w.width).mul(FLOAT_BYTES))];
        return (column) => ofRow(column, addresses);
      };
    },
  };
}

/** Columns of a piece. */
export const PIECE_COLUMNS = 512;
/** Parts for so many rows and columns. */
export const formParts = (rows: number, columns: number): number =>
  Math.ceil(rows / SUM_ROWS) * Math.ceil(columns / PIECE_COLUMNS);

const HALVES = [0, 1] as const;
/** Scratch: lane numbers, then what is put upright. */
const STAGE = TILE_ROW_BYTES;

const kernels = new Map<string, Kernel>();

/**
 * Words: the source's; of result i `out<i>`, `<form><i>` for each form, and `sums<i>`, those that there are; `rows`, `width`,
 * and `stride`, of a block's sums.
 */
export function tileFormsKernel(source: FormSource, results: readonly FormedResult[]): Kernel {
  const names = results.map(({ floats, forms, sums }) =>
    [...(floats ? ["f32"] : []), ...forms, ...(sums ? ["sums"] : [])].join(" "),
  );
  const label = `forms ${source.label} to ${names.join(", ")}`;
  const known = kernels.get(label) ?? make(label, source, results);
  kernels.set(label, known);
  return known;
}

/** A value at 32 columns of two rows of a panel, 16 apart. */
type Square = readonly [readonly [Floats, Floats], readonly [Floats, Floats]];

/** Where the 32 rows and columns from (panel, step) on go. */
interface Target {
  readonly result: FormedResult;
  /** Its number among the results. */
  readonly index: number;
  readonly at: (form: TileFormName) => Int;
  /** Of the first row and column. */
  readonly out: Int;
  readonly sums: Int;
}

function make(label: string, source: FormSource, results: readonly FormedResult[]): Kernel {
  const outs = results.flatMap(({ floats, forms, sums }, i) => [
    ...(floats ? [`out${i}`] : []),
    ...forms.map((form) => `${form}${i}`),
    ...(sums ? [`sums${i}`] : []),
  ]);
  return defineKernel(label, [...source.words, ...outs, "rows", "width", "stride"], (k, w: Words) => {
    const lanes = laneNumbers(k);
    const [panels, steps] = [ceilDiv(w.rows, PANEL_ROWS), ceilDiv(w.width, STEP_COLUMNS)];
    const rowBytes = w.width.mul(FLOAT_BYTES);
    const formAt = (form: TileFormName, base: Int): ((panel: Int, step: Int) => Int) => {
      if (form.endsWith("along")) return tileSteps(base, panels, w.width);
      const across = tileSteps(base, steps, w.rows);
      return (panel, step) => across(step, panel);
    };
    const targets = results.map((result, i) => {
      const places = new Map(result.forms.map((form) => [form, formAt(form, w[`${form}${i}`])]));
      return (panel: Int, step: Int): Target => ({
        result,
        index: i,
        at: (form) => places.get(form)!(panel, step),
        out: result.floats
          ? w[`out${i}`].add(panel.mul(PANEL_ROWS).mul(rowBytes)).add(step.mul(STEP_COLUMNS * FLOAT_BYTES))
          : k.int(0),
        sums: result.sums
          ? w[`sums${i}`].add(
              panel
                .div(SUM_ROWS / PANEL_ROWS)
                .mul(w.stride)
                .add(step.mul(STEP_COLUMNS))
                .mul(FLOAT_BYTES),
            )
          : k.int(0),
      });
    });
    const resultsOf = source.open(k, w, !results.some(({ floats }) => floats));
    const chunks = ceilDiv(w.width, PIECE_COLUMNS);
    k.share(ceilDiv(w.rows, SUM_ROWS).mul(chunks), (first, end) => {
      k.range(first, end, 1, (piece) => {
        const firstPanel = piece.div(chunks).mul(SUM_ROWS / PANEL_ROWS);
        const firstStep = piece.rem(chunks).mul(PIECE_COLUMNS / STEP_COLUMNS);
        k.range(firstPanel, firstPanel.add(SUM_ROWS / PANEL_ROWS).min(panels), 1, (panel) => {
          k.range(firstStep, firstStep.add(PIECE_COLUMNS / STEP_COLUMNS).min(steps), 1, (step) => {
            const [row, column] = [panel.mul(PANEL_ROWS), step.mul(STEP_COLUMNS)];
            const [rowsLeft, columnsLeft] = [w.rows.sub(row), w.width.sub(column)];
            const all = targets.map((target) => target(panel, step));
            const isWhole = k
              .int(PANEL_ROWS - 1)
              .less(rowsLeft)
              .and(k.int(STEP_COLUMNS - 1).less(columnsLeft));
            k.when(
              isWhole,
              () => compute(k, all, panel.equals(firstPanel), (i) => wholeSquare(row, column, i)),
              () => compute(k, all, panel.equals(firstPanel), (i) => cutSquare(row, column, i)),
            );
            for (const target of all) turnForms(k, target);
          });
        });
      });
    });

    /** The results at rows i and 16 + i. */
    function wholeSquare(
      row: Int,
      column: Int,
      i: Int,
    ): { squares: Square[]; store: (to: Int, square: Square) => void } {
      const found = HALVES.map((half) => {
        const at = row.add(i).add(half * TILE_ROWS);
        const ofRow = resultsOf(at);
        return HALVES.map((side) => ofRow(column.add(side * TILE_ROWS)));
      });
      return {
        squares: results.map((_, n) => found.map((sides) => sides.map((values) => values[n])) as unknown as Square),
        store(to, square) {
          for (const [half, sides] of square.entries()) {
            const at = to.add(i.add(half * TILE_ROWS).mul(rowBytes));
            for (const [side, value] of sides.entries()) at.store(value, side * TILE_ROW_BYTES);
          }
        },
      };
    }

    /** The same where rows or columns end: zeros past them. */
    function cutSquare(row: Int, column: Int, i: Int): { squares: Square[]; store: (to: Int, square: Square) => void } {
      const left = w.width.sub(column);
      const countOf = (half: number): Int =>
        row
          .add(i)
          .add(half * TILE_ROWS)
          .less(w.rows)
          .select(left, 0);
      const found = HALVES.map((half) => {
        const at = row
          .add(i)
          .add(half * TILE_ROWS)
          .min(w.rows.sub(1));
        const ofRow = resultsOf(at);
        const there = countOf(half).toFloat().splat();
        return HALVES.map((side) => {
          // a register that would begin past the last number begins at it, so that nothing far is read
          const numbers = ofRow(column.add(side * TILE_ROWS).min(w.width.sub(1)));
          return numbers.map((value) =>
            lanes
              .add(side * TILE_ROWS)
              .less(there)
              .selectFloats(value, 0),
          );
        });
      });
      return {
        squares: results.map((_, n) => found.map((sides) => sides.map((values) => values[n])) as unknown as Square),
        store(to, square) {
          for (const [half, sides] of square.entries()) {
            for (const [side, value] of sides.entries()) k.scratch.store(value, STAGE + side * TILE_ROW_BYTES);
            const at = to.add(i.add(half * TILE_ROWS).mul(rowBytes));
            k.range(0, countOf(half).min(STEP_COLUMNS), 1, (n) => {
              at.add(n.mul(FLOAT_BYTES)).store(k.scratch.add(n.mul(FLOAT_BYTES)).loadFloat(STAGE));
            });
          }
        },
      };
    }
  });
}

/** Which of the two forms that registers give as they lie a form is, or is made of. */
const baseOf = (form: TileFormName): "rows.along" | "outer.across" =>
  form === "rows.along" || form === "outer.along" ? "rows.along" : "outer.across";

/** Where a base form is stored: in its place, or where it waits to be put upright; each result has room for both. */
function placeOf(k: KernelBuilder, target: Target, base: "rows.along" | "outer.across"): Int | undefined {
  const { result, at } = target;
  if (result.forms.includes(base)) return at(base);
  return result.forms.some((form) => baseOf(form) === base) ? k.scratch.add(stageOf(target, base)) : undefined;
}

/** Results' stages lie one after another behind that of cut rows. */
const stageOf = ({ index }: Target, base: "rows.along" | "outer.across"): number =>
  STAGE + 2 * TILE_ROW_BYTES + (2 * index + (base === "rows.along" ? 0 : 1)) * STEP_BYTES;

function compute(
  k: KernelBuilder,
  targets: readonly Target[],
  isFirst: Int,
  squareAt: (i: Int) => { squares: Square[]; store: (to: Int, square: Square) => void },
): void {
  const sums = targets.map(({ result }) => (result.sums ? k.variables(2, k.floats(0)) : []));
  const places = targets.map((target) => ({
    along: placeOf(k, target, "rows.along"),
    across: placeOf(k, target, "outer.across"),
  }));
  k.range(0, TILE_ROWS, 1, (i) => {
    const { squares, store } = squareAt(i);
    const inTile = i.mul(TILE_ROW_BYTES);
    for (const [n, square] of squares.entries()) {
      const [low, high] = square;
      const { along, across } = places[n];
      if (along !== undefined) {
        for (const [half, [left, right]] of square.entries())
          along.add(inTile).store(left.pairBf16(right), half * TILE_BYTES);
      }
      if (across !== undefined) {
        for (const side of HALVES) across.add(inTile).store(low[side].pairBf16(high[side]), side * TILE_BYTES);
      }
      for (const [side, sum] of sums[n].entries()) sum.value = sum.value.add(low[side].add(high[side]));
      if (targets[n].result.floats) store(targets[n].out, square);
    }
  });
  for (const [n, pair] of sums.entries()) {
    for (const [side, sum] of pair.entries()) addSum(targets[n].sums.add(side * TILE_ROW_BYTES), sum, isFirst, k);
  }
}

/** A block's first panel begins its sums. */
function addSum(at: Int, { value }: Variable<Floats>, isFirst: Int, k: KernelBuilder): void {
  k.when(
    isFirst,
    () => at.store(value),
    () => at.store(at.loadFloats().add(value)),
  );
}

/** Makes the forms that are others put upright. */
function turnForms(k: KernelBuilder, target: Target): void {
  for (const form of target.result.forms) {
    const base = baseOf(form);
    if (form === base) continue;
    const [from, to] = [placeOf(k, target, base) as Int, target.at(form)];
    k.range(0, STEP_BYTES, TILE_BYTES, (tile) => putUpright(k, from.add(tile), to.add(tile)));
  }
}
