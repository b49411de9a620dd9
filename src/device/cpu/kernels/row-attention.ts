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
  /** Words `bias` (H, distances), and `sinks` (H). */
  readonly hasBias: boolean;
  readonly hasSinks: boolean;
}

/** Words that all kernels' records end with; f32 bits: scale, cap. */
export const sharedWords = ["rows", "heads", "repeat", "window", "scale", "cap", "bias", "distances", "sinks"] as const;

/** Rows of a block of queries and of keys; blocks begin at multiples of it. */
export const BLOCK = 64;
/** Rows that blocks have in scratch: whole groups of rows on every machine. */
const BLOCK_ROWS = 72;
/** Columns of scratch are whole panels on every machine. */
const PANEL = 64;
export const paddedSize = ({ headSize }: Pick<RowAttentionShape, "headSize">): number =>
  headSize > PANEL / 2 ? Math.ceil(headSize / PANEL) * PANEL : PANEL / 2;
/** Heads that scratch holds. */
export const HEAD_SIZE_MOST = 256;

/** Bytes of keys or values turned over: of each block of rows and head, D rows of its numbers. */
export const turnedBytes = (rows: number, columns: number): number =>
  Math.ceil(rows / BLOCK) * BLOCK * columns * FLOAT_BYTES;
const TURNED_STEP = BLOCK * FLOAT_BYTES;
/** Where a block of one head lies in what is turned over; `columns` of all heads. */
export const turnedAt = (base: Int, row: Int, columns: Int, firstColumn: Int): Int =>
  base.add(row.mul(columns).mul(FLOAT_BYTES)).add(firstColumn.mul(TURNED_STEP));

export function labelOf({ headSize, capped, bothWays, hasBias, hasSinks }: RowAttentionShape): string {
  const options = { ".capped": capped, ".bothWays": bothWays, ".bias": hasBias, ".sinks": hasSinks };
  return (
    headSize +
    Object.entries(options)
      .map(([name, has]) => (has ? name : ""))
      .join("")
  );
}

/** Hands out scratch for a block's rows of so many floats, whole lines. */
export function scratchBlocks(k: KernelBuilder): (floats: number) => Int {
  let end = 64; // the first line is for tails
  return (floats) => {
    const at = k.scratch.add(end);
    end += Math.ceil((BLOCK_ROWS * floats * FLOAT_BYTES) / 64) * 64;
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
  readonly bStep: number;
  /** Sums: row r at r * cRow bytes. */
  readonly c: Int;
  readonly cRow: number;
  readonly rows: Int;
  readonly steps: Int | number;
  readonly columns: number;
  /** Whether products are added to what is there. */
  readonly add: boolean;
}

/** Steps that a turn of the inner loop takes. */
const TURN = 4;

/** Rows and registers whose sums, with the registers they are made of, fill the registers that there are. */
function groupOf({ machine, lanes }: KernelBuilder, columns: number): { rows: number; registers: number } {
  if (machine.registers < 32) return { rows: 6, registers: 2 };
  return columns % (4 * lanes) === 0 ? { rows: 6, registers: 4 } : { rows: 12, registers: 2 };
}

/** c (rows, columns) = or += a (rows, steps) · b (steps, columns); up to a group of rows and a panel more are written. */
export function multiplyBlock(k: KernelBuilder, p: BlockProduct): void {
  const group = groupOf(k, p.columns);
  const steps = k.int(p.steps);
  const registerBytes = k.lanes * FLOAT_BYTES;
  const whole = steps.and(-TURN);
  k.range(0, p.rows, group.rows, (row) => {
    const [numbersAt, sumsAt] = [p.a.add(row.mul(p.aRow)), p.c.add(row.mul(p.cRow))];
    k.range(0, p.columns * FLOAT_BYTES, group.registers * registerBytes, (column) => {
      const [b, c] = [p.b.add(column), sumsAt.add(column)];
      const sums = Array.from({ length: group.rows }, () => k.variables(group.registers, k.floats(0)));
      const each = (use: (sum: (typeof sums)[number][number], at: number) => void): void =>
        sums.forEach((row, r) => row.forEach((sum, n) => use(sum, r * p.cRow + n * registerBytes)));
      if (p.add) each((sum, at) => (sum.value = c.loadFloats(at)));
      const turn = (step: Int, count: number): void => {
        const [numbers, from] = [numbersAt.add(step.mul(p.aStep)), b.add(step.mul(p.bStep))];
        for (let s = 0; s < count; s++) {
          const values = Array.from({ length: group.registers }, (_, n) =>
            from.loadFloats(s * p.bStep + n * registerBytes),
          );
          sums.forEach((row, r) => {
            const number = numbers.splatFloats(r * p.aRow + s * p.aStep);
            row.forEach((sum, n) => (sum.value = number.madd(values[n], sum.value)));
          });
        }
      };
      k.range(0, whole, TURN, (step) => turn(step, TURN));
      k.range(whole, steps, 1, (step) => turn(step, 1));
      each((sum, at) => c.store(sum.value, at));
    });
  });
}

/** Turned keys or values meet rows of a block: what `multiplyBlock` is told of both. */
export const meeting = (sizeBytes: number) =>
  ({
    aRow: sizeBytes,
    aStep: FLOAT_BYTES,
    bStep: TURNED_STEP,
    cRow: BLOCK * FLOAT_BYTES,
    columns: BLOCK,
    add: false,
  }) as const;

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

/** Gives masks of the keys that a row sees, of those from `from` on, by the register's first one; `lanes`: their numbers. */
export function maskOf({ first, end }: { first: Int; end: Int }, from: Int, lanes: Floats): (register: number) => Ints {
  const [low, high] = [first, end].map((row) => row.sub(from).toFloat().splat());
  return (register) => {
    const number = lanes.add(register);
    return number.less(high).and(number.less(low).xor(-1));
  };
}

/** What the soft cap makes of scores. */
export const bend = (k: KernelBuilder, score: Floats, cap: Float): Floats =>
  tanh(score.div(cap.splat()), k).mul(cap.splat());

/** out: x (rows, columns) turned over in blocks (`turnedAt`). A part is a share of groups of 16 rows. */
export const turnKernel = defineKernel("turn", ["x", "out", "rows", "columns"], (k, w) => {
  const GROUP = 16;
  const rowBytes = w.columns.mul(FLOAT_BYTES);
  k.share(w.rows.add(GROUP - 1).div(GROUP), (first, end) => {
    k.range(first, end, 1, (group) => {
      const start = group.mul(GROUP);
      const inBlock = start.rem(BLOCK);
      const from = w.x.add(start.mul(rowBytes));
      const to = turnedAt(w.out, start.sub(inBlock), w.columns, k.int(0)).add(inBlock.mul(FLOAT_BYTES));
      const count = w.rows.sub(start).min(GROUP);
      k.when(
        count.equals(GROUP),
        () =>
          k.range(0, w.columns, 1, (column) => {
            const target = to.add(column.mul(TURNED_STEP));
            const source = k.variable(from.add(column.mul(FLOAT_BYTES)));
            for (let row = 0; row < GROUP; row++) {
              const at = source.value;
              target.store(at.loadFloat(), row * FLOAT_BYTES);
              source.value = at.add(rowBytes);
            }
          }),
        () =>
          k.range(0, w.columns, 1, (column) => {
            const [source, target] = [from.add(column.mul(FLOAT_BYTES)), to.add(column.mul(TURNED_STEP))];
            k.range(0, count, 1, (row) => {
              target.add(row.mul(FLOAT_BYTES)).store(source.add(row.mul(rowBytes)).loadFloat());
            });
          }),
      );
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
