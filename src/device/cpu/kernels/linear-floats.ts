// y = f(x Wᵀ + bias) + residual by weights of f32, prompt class. A unit is a block of rows by a panel of some groups of 16
// outputs, whose sums wait in scratch: of each 128 columns the panel's weights come to the first cache level once and meet
// all rows. A part is a share of the units. Every output is one chain of products and sums over the columns in order.
//
// Few rows, as one sentence has, leave little time to read a weight in, so the next 128 columns are asked for meanwhile: of
// the panel, of the thread's next part, at the end those of the product that follows.
// Other formats: panel-decoded.ts. Decode class: core-float.ts. Operands that are computed: gemm-floats.ts.
import { type Int, type Kernel, type KernelBuilder, type Machine, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { type Activation, byActivation } from "./gemm-outputs.ts";
import { FLOAT_BYTES, LINE_BYTES, ceilDiv } from "./loops.ts";
import { outputGroups, promptWords, storeSums, tailBytes } from "./prompt-outputs.ts";

/**
 * `following`: the weight of the next product of the program, or this one's; `followingColumns`: its columns. `threads`:
 * how many take parts by turns.
 */
const floatWords = [...promptWords, "threads", "following", "followingColumns"] as const;
type Words = Readonly<Record<(typeof floatWords)[number], Int>>;

/** Columns of a panel that stay in the first cache level, 32 KiB where it has four groups. Of bench/embeddings.ts. */
const COLUMNS = 128;
/** Columns that one turn of the inner loop takes. */
const TURN = 4;
/** Rows of a block, about: one panel's weights serve them. */
const BLOCK_ROWS = 96;

const COLUMN_BYTES = GROUP_ROWS * FLOAT_BYTES;
const GROUPS_MOST = 4;

interface FloatTile {
  /** Of a panel. */
  readonly groups: 2 | 4;
  /** Rows and registers whose sums, with two registers of weights and one activation, fill the registers that there are. */
  readonly rows: number;
  readonly registers: number;
}

export const floatTile = ({ registers }: Pick<Machine, "registers">): FloatTile =>
  registers === 32 ? { groups: 4, rows: 7, registers: 4 } : { groups: 2, rows: 6, registers: 2 };

/** Units of so many rows and outputs. */
export function floatUnits(machine: Pick<Machine, "registers">, rows: number, outer: number): number {
  const { groups } = floatTile(machine);
  return Math.ceil(rows / blockRows(machine)) * Math.ceil(outer / (groups * GROUP_ROWS));
}

/** Whole tiles. */
function blockRows(machine: Pick<Machine, "registers">): number {
  const { rows } = floatTile(machine);
  return rows * Math.round(BLOCK_ROWS / rows);
}

function linearFloats(activation: Activation, suffix: string): Kernel<(typeof floatWords)[number]> {
  return defineKernel(`linear.f32.floats${suffix}`, floatWords, (k, w) => {
    const { groups } = floatTile(k.machine);
    const panels = ceilDiv(outputGroups(w), groups);
    k.share(panels.mul(ceilDiv(w.rows, blockRows(k.machine))), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const after = unit.add(1);
        const nextPart = end.add(w.threads.sub(1).mul(end.sub(first)));
        const next = panelOf(k, w, panels, after.less(end).select(after, nextPart));
        computeUnit(k, w, activation, unit.div(panels), unit.rem(panels), next);
      });
    });
  });
}

/** A panel's first group, and the bytes from a group to the next. */
interface Panel {
  readonly at: Int;
  readonly groupBytes: Int;
}

/** The panel of a unit; of one past the last, a panel of the product that follows. */
function panelOf(k: KernelBuilder, w: Words, panels: Int, unit: Int): Panel {
  const { groups } = floatTile(k.machine);
  const units = panels.mul(ceilDiv(w.rows, blockRows(k.machine)));
  const isOwn = unit.less(units);
  const panel = isOwn.select(unit.rem(panels), unit.sub(units));
  const groupBytes = isOwn.select(w.columns, w.followingColumns).mul(COLUMN_BYTES);
  const weight = isOwn.select(w.weight, w.following);
  return { at: weight.add(panel.mul(groups).mul(groupBytes)), groupBytes };
}

function computeUnit(k: KernelBuilder, w: Words, activation: Activation, rowBlock: Int, panel: Int, next: Panel): void {
  const { groups, rows } = floatTile(k.machine);
  const block = blockRows(k.machine);
  const firstRow = rowBlock.mul(block);
  const count = w.rows.sub(firstRow).min(block);
  const groupBytes = w.columns.mul(COLUMN_BYTES);
  const last = outputGroups(w).sub(1); // once more where there is no other
  const weights = Array.from({ length: groups }, (_, n) =>
    w.weight.add(panel.mul(groups).add(n).min(last).mul(groupBytes)),
  );
  const rowBytes = w.columns.mul(FLOAT_BYTES);
  const x = w.x.add(firstRow.mul(rowBytes));
  const sums = k.scratch.add(tailBytes(GROUPS_MOST * GROUP_ROWS));
  const sumBytes = groups * COLUMN_BYTES;
  // so many groups of what comes next does each row of tiles ask for
  const asks = ceilDiv(k.int(groups), ceilDiv(count, rows));
  k.range(0, w.columns, COLUMNS, (column) => {
    const columns = w.columns.sub(column).min(COLUMNS);
    const rest = column.add(COLUMNS);
    const isLast = w.columns.less(rest.add(1));
    const coming = {
      at: isLast.select(next.at, weights[0].add(rest.mul(COLUMN_BYTES))),
      groupBytes: isLast.select(next.groupBytes, groupBytes),
    };
    const at = weights.map((group) => group.add(column.mul(COLUMN_BYTES)));
    k.range(0, count, rows, (row) => {
      // where the last tile has fewer rows, the last one is multiplied again; nobody reads those sums
      const xs = Array.from({ length: rows }, (_, r) =>
        x.add(row.add(r).min(count.sub(1)).mul(rowBytes)).add(column.mul(FLOAT_BYTES)),
      );
      const firstAsked = row.div(rows).mul(asks);
      const asked = k.int(groups).sub(firstAsked).min(asks);
      const from = coming.at.add(firstAsked.mul(coming.groupBytes));
      multiply(k, { xs, weights: at, columns, sums: sums.add(row.mul(sumBytes)), isLater: column }, (turn) => {
        k.range(0, asked.mul(coming.groupBytes), coming.groupBytes, (group) => {
          for (let c = 0; c < TURN; c++)
            from
              .add(group)
              .add(turn.mul(COLUMN_BYTES))
              .prefetch(c * LINE_BYTES);
        });
      });
    });
  });
  k.range(0, count, 1, (row) => {
    const from = sums.add(row.mul(sumBytes));
    const all = Array.from({ length: (groups * GROUP_ROWS) / k.lanes }, (_, n) =>
      from.loadFloats(n * k.lanes * FLOAT_BYTES),
    );
    storeSums(k, w, firstRow.add(row), panel.mul(groups * GROUP_ROWS), all, activation);
  });
}

interface Operands {
  /** Address of each row's first activation. */
  readonly xs: readonly Int[];
  /** Address of each group's first column. */
  readonly weights: readonly Int[];
  readonly columns: Int;
  readonly sums: Int;
  /** 0 where sums begin. */
  readonly isLater: Int;
}

/** Adds the products of a tile's rows and a panel's columns to their sums; `between` is done in each turn. */
function multiply(
  k: KernelBuilder,
  { xs, weights, columns, sums, isLater }: Operands,
  between: (column: Int) => void,
): void {
  const { registers } = floatTile(k.machine);
  const perGroup = GROUP_ROWS / k.lanes;
  const registerBytes = k.lanes * FLOAT_BYTES;
  for (let first = 0; first < weights.length * perGroup; first += registers) {
    const values = xs.map(() => k.variables(registers, k.floats(0)));
    const eachSum = (use: (sum: (typeof values)[number][number], at: number) => void): void =>
      values.forEach((row, r) =>
        row.forEach((sum, n) => use(sum, r * weights.length * COLUMN_BYTES + (first + n) * registerBytes)),
      );
    k.when(isLater, () => eachSum((sum, at) => (sum.value = sums.loadFloats(at))));
    const turn = (column: Int, count: number): void => {
      const groups = weights.map((group) => group.add(column.mul(COLUMN_BYTES)));
      const rows = xs.map((row) => row.add(column.mul(FLOAT_BYTES)));
      for (let c = 0; c < count; c++) {
        // two registers of weights at a time, so that all sums stay where they are
        for (let pair = 0; pair < registers; pair += 2) {
          const outputs = [first + pair, first + pair + 1].map((n) =>
            groups[Math.floor(n / perGroup)].loadFloats(c * COLUMN_BYTES + (n % perGroup) * registerBytes),
          );
          for (const [r, row] of values.entries()) {
            const value = rows[r].splatFloats(c * FLOAT_BYTES);
            for (const [n, output] of outputs.entries()) {
              const sum = row[pair + n];
              sum.value = value.madd(output, sum.value);
            }
          }
        }
      }
    };
    const whole = columns.and(-TURN);
    k.range(0, whole, TURN, (column) => {
      if (first === 0) between(column);
      turn(column, TURN);
    });
    k.range(whole, columns, 1, (column) => turn(column, 1));
    eachSum((sum, at) => sums.store(sum.value, at));
  }
}

/** out = f(x Wᵀ + bias) + residual. */
export const floatKernels = byActivation(linearFloats);
