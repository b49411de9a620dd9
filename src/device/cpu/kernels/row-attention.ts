// What attention of rows over each other (row-attention-forward.ts, row-attention-gradient.ts) is made of: blocks of
// queries meet blocks of keys in scratch, and every product is of one kind: numbers of scratch, each met by rows that lie
// side by side. So keys and values are needed turned over too, which a step before does once.
import {
  type Float,
  type Floats,
  type Int,
  type Ints,
  type KernelBuilder,
  defineKernel,
  tanh,
} from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers } from "./loops.ts";

export interface RowAttentionShape {
  readonly headSize: number;
  readonly capped: boolean;
  /** Whether rows see those after them too: words `ends`. */
  readonly bothWays: boolean;
}

/** Rows of a block: whole groups of rows on every machine. */
export const QUERIES = 48;
export const KEYS = 96;
/** Columns of scratch are whole panels on every machine. */
const PANEL = 32;
export const paddedSize = ({ headSize }: Pick<RowAttentionShape, "headSize">): number =>
  Math.ceil(headSize / PANEL) * PANEL;
/** Heads that scratch holds. */
export const HEAD_SIZE_MOST = 256;

/** Bytes between rows of turned matrices: whole lines, and a block may begin anywhere in them. */
export const turnedStride = (rows: number): number => (Math.ceil(rows / 16) * 16 + KEYS) * FLOAT_BYTES;
export const turnedBytes = (rows: number, columns: number): number => turnedStride(rows) * columns;

export const labelOf = ({ headSize, capped, bothWays }: RowAttentionShape): string =>
  `${headSize}${capped ? ".capped" : ""}${bothWays ? ".bothWays" : ""}`;

/** Hands out scratch, whole lines. */
export function scratchPlaces(k: KernelBuilder): (floats: number) => Int {
  let end = 64; // the first line is for tails
  return (floats) => {
    const at = k.scratch.add(end);
    end += Math.ceil((floats * FLOAT_BYTES) / 64) * 64;
    return at;
  };
}

export interface BlockProduct {
  /** Numbers: row r, step s at r * row + s * step bytes. */
  readonly a: Int;
  readonly aRow: number;
  readonly aStep: number;
  /** Rows: step s at s * bStep bytes. */
  readonly b: Int;
  readonly bStep: Int | number;
  /** Sums: row r at r * cRow bytes. */
  readonly c: Int;
  readonly cRow: number;
  readonly rows: Int | number;
  readonly steps: Int | number;
  readonly columns: Int | number;
  /** Whether products are added to what is there. */
  readonly add: boolean;
}

/** Steps that a turn of the inner loop takes. */
const TURN = 4;

/** c (rows, columns) = or += a (rows, steps) · b (steps, columns); up to a group of rows and a panel more are written. */
export function multiplyBlock(k: KernelBuilder, p: BlockProduct): void {
  const group = k.machine.registers === 32 ? 12 : 6;
  const [steps, bStep] = [k.int(p.steps), k.int(p.bStep)];
  const registerBytes = k.lanes * FLOAT_BYTES;
  const whole = steps.and(-TURN);
  k.range(0, p.rows, group, (row) => {
    const a = p.a.add(row.mul(p.aRow));
    k.range(0, p.columns, 2 * k.lanes, (column) => {
      const c = p.c.add(row.mul(p.cRow)).add(column.mul(FLOAT_BYTES));
      const sums = Array.from({ length: group }, () => k.variables(2, k.floats(0)));
      const each = (use: (sum: (typeof sums)[number][number], at: number) => void): void =>
        sums.forEach((pair, r) => pair.forEach((sum, n) => use(sum, r * p.cRow + n * registerBytes)));
      if (p.add) each((sum, at) => (sum.value = c.loadFloats(at)));
      const b = k.variable(p.b.add(column.mul(FLOAT_BYTES)));
      const turn = (step: Int, count: number): void => {
        const numbers = a.add(step.mul(p.aStep));
        for (let s = 0; s < count; s++) {
          const from = b.value;
          const values = [from.loadFloats(0), from.loadFloats(registerBytes)];
          sums.forEach((pair, r) => {
            const number = numbers.splatFloats(r * p.aRow + s * p.aStep);
            pair.forEach((sum, n) => (sum.value = number.madd(values[n], sum.value)));
          });
          b.value = from.add(bStep);
        }
      };
      k.range(0, whole, TURN, (step) => turn(step, TURN));
      k.range(whole, steps, 1, (step) => turn(step, 1));
      each((sum, at) => c.store(sum.value, at));
    });
  });
}

/** Copies `rows` rows of a head to scratch, times `factor`; columns beyond the head's are whatever lies there. */
export function copyRows(
  k: KernelBuilder,
  shape: RowAttentionShape,
  { from, stride, to, rows, factor }: { from: Int; stride: Int; to: Int; rows: Int; factor?: Floats },
): void {
  const rowBytes = paddedSize(shape) * FLOAT_BYTES;
  k.range(0, rows, 1, (row) => {
    const [source, target] = [from.add(row.mul(stride)), to.add(row.mul(rowBytes))];
    for (let column = 0; column < shape.headSize; column += k.lanes) {
      const value = source.loadFloats(column * FLOAT_BYTES);
      target.store(factor === undefined ? value : value.mul(factor), column * FLOAT_BYTES);
    }
  });
}

export const fillRows = (k: KernelBuilder, at: Int, floats: Int | number): void =>
  k.range(0, k.int(floats).mul(FLOAT_BYTES), k.lanes * FLOAT_BYTES, (i) => at.add(i).store(k.floats(0)));

/** The first row that row i sees, and the one past its last. */
export function visible(
  { starts, ends, window }: { starts: Int; ends: Int; window: Int },
  { bothWays }: RowAttentionShape,
  row: Int,
): { first: Int; end: Int } {
  const start = starts.add(row.mul(4)).loadInt();
  if (bothWays) return { first: start, end: ends.add(row.mul(4)).loadInt() };
  return { first: start.max(row.add(1).sub(window)), end: row.add(1) };
}

/** The least and the most that some rows see. */
export function visibleRange(
  k: KernelBuilder,
  words: { starts: Int; ends: Int; window: Int },
  shape: RowAttentionShape,
  rows: { first: Int; count: Int },
): { first: Int; end: Int } {
  const least = k.variable(k.int(0x7fffffff));
  const most = k.variable(k.int(0));
  k.range(0, rows.count, 1, (i) => {
    const { first, end } = visible(words, shape, rows.first.add(i));
    least.value = least.value.min(first);
    most.value = most.value.max(end);
  });
  return { first: least.value, end: most.value };
}

/** Gives masks of the keys that a row sees, of those from `from` on, by the register's first one. */
export function maskOf(k: KernelBuilder, { first, end }: { first: Int; end: Int }, from: Int): (i: Int) => Ints {
  const lanes = laneNumbers(k);
  const [low, high] = [first, end].map((row) => row.sub(from).toFloat().splat());
  return (i) => {
    const number = lanes.add(i.toFloat().splat());
    return number.less(high).and(number.less(low).xor(-1));
  };
}

/** What the soft cap makes of scores. */
export const bend = (k: KernelBuilder, score: Floats, cap: Float): Floats =>
  tanh(score.div(cap.splat()), k).mul(cap.splat());

/** out (columns, rows), rows `stride` bytes apart: x (rows, columns) turned over. A part is a share of blocks of 16 rows. */
export const turnKernel = defineKernel("turn", ["x", "out", "rows", "columns", "stride"], (k, w) => {
  const BLOCK = 16;
  const rowBytes = w.columns.mul(FLOAT_BYTES);
  k.share(w.rows.add(BLOCK - 1).div(BLOCK), (first, end) => {
    k.range(first, end, 1, (block) => {
      const start = block.mul(BLOCK);
      const from = w.x.add(start.mul(rowBytes));
      const to = w.out.add(start.mul(FLOAT_BYTES));
      const count = w.rows.sub(start).min(BLOCK);
      k.range(0, w.columns, 1, (column) => {
        const [source, target] = [from.add(column.mul(FLOAT_BYTES)), to.add(column.mul(w.stride))];
        k.range(0, count, 1, (row) => {
          target.add(row.mul(FLOAT_BYTES)).store(source.add(row.mul(rowBytes)).loadFloat());
        });
      });
    });
  });
});

/** out (rows, heads): a · b of each head. */
export const headDotsKernel = defineKernel("head dots", ["a", "b", "out", "units", "headSize"], (k, w) => {
  const bytes = w.headSize.mul(FLOAT_BYTES);
  k.share(w.units, (first, end) => {
    k.range(first, end, 1, (unit) => {
      const offset = unit.mul(bytes);
      const sum = k.variable(k.floats(0));
      const [a, b] = [w.a.add(offset), w.b.add(offset)];
      const whole = w.headSize.and(-k.lanes);
      const product = (i: Int): Floats =>
        a
          .add(i.mul(FLOAT_BYTES))
          .loadFloats()
          .mul(b.add(i.mul(FLOAT_BYTES)).loadFloats());
      k.range(0, whole, k.lanes, (i) => (sum.value = sum.value.add(product(i))));
      k.when(whole.less(w.headSize), () => {
        const mask = laneNumbers(k).less(w.headSize.sub(whole).toFloat().splat());
        sum.value = sum.value.add(mask.selectFloats(product(whole), 0));
      });
      w.out.add(unit.mul(FLOAT_BYTES)).store(sum.value.sum());
    });
  });
});
