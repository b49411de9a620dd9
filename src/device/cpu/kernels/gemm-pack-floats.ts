// How operands lie for products in f32 (gemm-floats.ts), and the kernels that bring them there: blocks of 192 of the
// columns that are summed over, one after another, and in a block all panels. A panel of the first operand has 12 rows:
// row by row where the tensor has them so ("along"), else column by column ("across"), whichever is a copy. A panel of
// the second one has 32 outputs, column by column. Also rounded to bf16 on the way, where tiles would multiply bf16.
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { OUTER_PANEL } from "./gemm-outputs.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";

/** Rows of a panel: with two registers of outputs, their sums fill 32 registers. */
export const ROW_PANEL = 12;
/**
 * Columns of a block: a panel of the second operand stays in the first cache level, and one of the first beside it. Training
 * steps are 3 to 8 % faster with 192 than with 256 (bench/train.ts in f32, by turns in one run).
 */
export const BLOCK = 192;

/** How a tensor lies: the columns that are summed over side by side, or a row or an output of each side by side. */
export type Lie = "along" | "across";

/** Between rows of a panel: not a power of two, so that they share no set of the cache. */
const ROW_BYTES = BLOCK * FLOAT_BYTES + 64;
/** Of one block; what a column's last register holds too much lies in it. */
export const ROW_PANEL_BYTES = ROW_PANEL * ROW_BYTES;
const COLUMN_BYTES = OUTER_PANEL * FLOAT_BYTES;
export const OUTER_PANEL_BYTES = BLOCK * COLUMN_BYTES;

/** Bytes from one row or one column of the panel to the next. */
export const rowStrides = {
  along: { row: ROW_BYTES, column: FLOAT_BYTES },
  across: { row: FLOAT_BYTES, column: ROW_PANEL * FLOAT_BYTES },
} as const satisfies Record<Lie, unknown>;

/** Bytes of an operand of `count` rows or outputs, in its form. */
export const floatRowsBytes = (count: number, columns: number): number =>
  Math.ceil(count / ROW_PANEL) * Math.ceil(columns / BLOCK) * ROW_PANEL_BYTES;
export const floatOuterBytes = (count: number, columns: number): number =>
  Math.ceil(count / OUTER_PANEL) * Math.ceil(columns / BLOCK) * OUTER_PANEL_BYTES;

/**
 * x: f32, some of its columns where it lies along, (count, stride), or of its rows where across, (stride, count): `columns`
 * of them from `first` on; out: their form. `stride`: numbers from one row of x to the next.
 */
export const packWords = ["x", "out", "count", "columns", "stride", "first"] as const;
export type PackOperandKernel = Kernel<(typeof packWords)[number]>;

/** What is packed: `x` is where the first of the columns that are summed over begins. */
export type PackSource = Readonly<Record<"x" | "count" | "columns" | "stride", Int>>;

export const sourceOf = (lie: Lie, { x, first, ...sizes }: Readonly<Record<(typeof packWords)[number], Int>>) => ({
  ...sizes,
  x: x.add(first.mul(lie === "along" ? FLOAT_BYTES : sizes.stride.mul(FLOAT_BYTES))),
});

type Change = (value: Floats) => Floats;

/** To the nearest bf16, ties to even; what is no number stays none. */
const roundToBf16: Change = (value) => {
  const bits = value.asInts();
  const rounded = bits.add(bits.shr(16).and(1).add(0x7fff)).and(0xffff0000);
  const isNone = bits.and(0x7fffffff).greater(0x7f800000);
  return isNone.select(bits.or(0x400000).and(0xffff0000), rounded).asFloats();
};
const changes: Readonly<Record<"f32" | "bf16", Change>> = { f32: (value) => value, bf16: roundToBf16 };
export type FloatRounding = keyof typeof changes;

/** Copies floats from one place to another, whole registers: up to one too many. */
function copy(k: KernelBuilder, from: Int, to: Int, bytes: Int | number, change: Change): void {
  k.range(0, bytes, k.lanes * FLOAT_BYTES, (at) => to.add(at).store(change(from.add(at).loadFloats())));
}

/** Panels of a block, side by side. */
interface Panels {
  /** Of the tensor. */
  readonly first: Int;
  readonly count: Int;
  readonly firstColumn: Int;
  /** Columns of the block. */
  readonly columns: Int;
  readonly to: Int;
}

/** How panels are filled. */
interface Filling {
  readonly lie: Lie;
  /** Rows or outputs of a panel. */
  readonly size: number;
  readonly panelBytes: number;
  readonly pack: (k: KernelBuilder, source: PackSource, panels: Panels) => void;
}

/**
 * Panels that are filled side by side: where a panel's numbers are a short piece of each of the tensor's rows, lines that
 * it reads a part of are near when the next panel reads the rest. Of 1, 4, 8 and 16, bench/gemm.ts.
 */
const PANELS_TOGETHER = { along: 1, across: 8 } as const satisfies Record<Lie, number>;

function packKernel(label: string, { lie, size, panelBytes, pack }: Filling): PackOperandKernel {
  return defineKernel(`gemm.pack.${label}`, packWords, (k, words) => {
    const { out, count, columns } = words;
    const source = sourceOf(lie, words);
    const panels = ceilDiv(count, size);
    const groups = ceilDiv(panels, PANELS_TOGETHER[lie]);
    k.share(groups.mul(ceilDiv(columns, BLOCK)), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [block, firstPanel] = [unit.div(groups), unit.rem(groups).mul(PANELS_TOGETHER[lie])];
        const firstColumn = block.mul(BLOCK);
        pack(k, source, {
          first: firstPanel.mul(size),
          count: panels.sub(firstPanel).min(PANELS_TOGETHER[lie]),
          firstColumn,
          columns: columns.sub(firstColumn).min(BLOCK),
          to: out.add(block.mul(panels).add(firstPanel).mul(panelBytes)),
        });
      });
    });
  });
}

/** Address of the first of the block's columns of row `n`; past the last row it is that one. */
const rowAt = ({ x, count, stride }: PackSource, n: Int, { firstColumn }: Panels): Int =>
  x.add(n.min(count.sub(1)).mul(stride).add(firstColumn).mul(FLOAT_BYTES));

const rowsAlong = (change: Change): Filling => ({
  lie: "along",
  size: ROW_PANEL,
  panelBytes: ROW_PANEL_BYTES,
  pack(k, source, panels) {
    k.range(0, ROW_PANEL, 1, (r) => {
      const to = panels.to.add(r.mul(ROW_BYTES));
      copy(k, rowAt(source, panels.first.add(r), panels), to, panels.columns.mul(FLOAT_BYTES), change);
    });
  },
});

/** Columns that are copied to all panels of a group before the next ones: what is read of them stays near. */
const CHUNK = 16;

/** Panels of `size`, each column's numbers copied. What is past the last number is never used. */
const across = (size: number, panelBytes: number, change: Change): Filling => ({
  lie: "across",
  size,
  panelBytes,
  pack(k, { x, count, stride }, panels) {
    const registerBytes = k.lanes * FLOAT_BYTES;
    const rowBytes = stride.mul(FLOAT_BYTES);
    k.range(0, panels.columns, CHUNK, (chunk) => {
      k.range(0, panels.count, 1, (panel) => {
        const first = panels.first.add(panel.mul(size));
        const from = x.add(panels.firstColumn.mul(stride).add(first).mul(FLOAT_BYTES));
        const to = panels.to.add(panel.mul(panelBytes));
        // a register that would begin past the last number begins at it, so that nothing far is read
        const last = count.sub(first).sub(1).mul(FLOAT_BYTES);
        const offsets = Array.from({ length: Math.ceil(size / k.lanes) }, (_, n) => k.int(n * registerBytes).min(last));
        k.range(chunk, chunk.add(CHUNK).min(panels.columns), 1, (column) => {
          const row = from.add(column.mul(rowBytes));
          const target = to.add(column.mul(size * FLOAT_BYTES));
          offsets.forEach((offset, n) => target.store(change(row.add(offset).loadFloats()), n * registerBytes));
        });
      });
    });
  },
});

/** Rows and columns that are put upright at once. */
const SQUARE = 16;
const SQUARE_ROW_BYTES = SQUARE * FLOAT_BYTES;

/** Squares go to scratch as they lie; from there a column's numbers are stored side by side, in few lines at a time. */
const outerAlong = (change: Change): Filling => ({
  lie: "along",
  size: OUTER_PANEL,
  panelBytes: OUTER_PANEL_BYTES,
  pack(k, source, panels) {
    k.range(0, OUTER_PANEL, SQUARE, (first) => {
      const to = panels.to.add(first.mul(FLOAT_BYTES));
      k.range(0, panels.columns, SQUARE, (column) => {
        k.range(0, SQUARE, 1, (n) => {
          const row = rowAt(source, panels.first.add(first).add(n), panels);
          const square = k.scratch.add(n.mul(SQUARE_ROW_BYTES));
          copy(k, row.add(column.mul(FLOAT_BYTES)), square, SQUARE_ROW_BYTES, change);
        });
        k.range(0, SQUARE, 1, (i) => {
          const [source, target] = [k.scratch.add(i.mul(FLOAT_BYTES)), to.add(column.add(i).mul(COLUMN_BYTES))];
          for (let n = 0; n < SQUARE; n++) target.store(source.loadFloat(n * SQUARE_ROW_BYTES), n * FLOAT_BYTES);
        });
      });
    });
  },
});

const each = (
  make: (rounding: FloatRounding) => PackOperandKernel,
): Readonly<Record<FloatRounding, PackOperandKernel>> => ({
  f32: make("f32"),
  bf16: make("bf16"),
});

/** By how the tensor lies and whether it is rounded. A part is a share of the panels of all blocks. */
export const packFloatRows = {
  along: each((by) => packKernel(`rows.along.${by}`, rowsAlong(changes[by]))),
  across: each((by) => packKernel(`rows.across.${by}`, across(ROW_PANEL, ROW_PANEL_BYTES, changes[by]))),
} as const satisfies Record<Lie, unknown>;
export const packFloatOuter = {
  along: each((by) => packKernel(`outer.along.${by}`, outerAlong(changes[by]))),
  across: each((by) => packKernel(`outer.across.${by}`, across(OUTER_PANEL, OUTER_PANEL_BYTES, changes[by]))),
} as const satisfies Record<Lie, unknown>;
