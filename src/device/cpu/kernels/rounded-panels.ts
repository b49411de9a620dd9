// Activations rounded to int8 blocks (quantize.ts) as prompts multiply them: panel by panel of 256 columns, and in a panel
// row by row, so that what a panel of weights meets (panels.ts) is one run of bytes.
import { type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { rmsFactor } from "./norm.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, quantizeBlock } from "./quantize.ts";

/** Columns of a panel, and int8 blocks of a row in it. */
export const PANEL_COLUMNS = 256;
const PANEL_BLOCKS = PANEL_COLUMNS / ACTIVATION_COLUMNS;

/** Blocks of a row in panel `panel`: 8, or what is left. */
const blocksOf = (columns: Int, panel: Int): Int =>
  columns.div(ACTIVATION_COLUMNS).sub(panel.mul(PANEL_BLOCKS)).min(PANEL_BLOCKS);

/** Address of what the first row has in panel `panel`, and the bytes that a row has there. */
export const roundedPanel = (
  x: Int,
  rows: Int,
  columns: Int,
  panel: Int,
): { readonly first: Int; readonly rowBytes: Int } => ({
  first: x.add(panel.mul(rows).mul(PANEL_BLOCKS * ACTIVATION_BYTES)),
  rowBytes: blocksOf(columns, panel).mul(ACTIVATION_BYTES),
});

/** Address of block `block` of row `row`. */
export function roundedBlockAt(x: Int, rows: Int, columns: Int, row: Int, block: Int): Int {
  const { first, rowBytes } = roundedPanel(x, rows, columns, block.div(PANEL_BLOCKS));
  return first.add(row.mul(rowBytes)).add(block.and(PANEL_BLOCKS - 1).mul(ACTIVATION_BYTES));
}

/** Rounds the rows [first, end); `blockAt` gives the address of the 32 f32 that a block is made of. */
function roundRows(
  k: KernelBuilder,
  { out, rows, columns }: { readonly out: Int; readonly rows: Int; readonly columns: Int },
  rowAt: (row: Int) => (block: Int) => Int,
): void {
  k.share(rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const blockAt = rowAt(row);
      k.range(0, columns.div(ACTIVATION_COLUMNS), 1, (block) => {
        quantizeBlock(k, blockAt(block), roundedBlockAt(out, rows, columns, row, block));
      });
    });
  });
}

/** x: (rows, columns) f32, columns a multiple of 32; out: as many blocks as quantize.ts makes. A part is a share of rows. */
export const roundPanelsKernel = defineKernel("roundPanels", ["x", "out", "rows", "columns"], (k, words) => {
  const { x, columns } = words;
  roundRows(k, words, (row) => {
    const from = x.add(row.mul(columns).mul(FLOAT_BYTES));
    return (block) => from.add(block.mul(ACTIVATION_COLUMNS * FLOAT_BYTES));
  });
});

/** The same of RMSNorm(x) over whole rows (norm.ts), which is stored nowhere else. */
export const roundNormPanelsKernel = defineKernel(
  "roundPanels.rmsNorm",
  ["x", "gain", "out", "rows", "columns", "epsilon"],
  (k, words) => {
    const { x, gain, columns, epsilon } = words;
    roundRows(k, words, (row) => {
      const from = x.add(row.mul(columns).mul(FLOAT_BYTES));
      const factor = rmsFactor(k, from, columns, epsilon);
      return (block) => {
        const at = block.mul(ACTIVATION_COLUMNS * FLOAT_BYTES);
        for (let i = 0; i < ACTIVATION_COLUMNS; i += k.lanes) {
          const offset = i * FLOAT_BYTES;
          const value = from.add(at).loadFloats(offset).mul(factor).mul(gain.add(at).loadFloats(offset));
          k.scratch.store(value, offset);
        }
        return k.scratch;
      };
    });
  },
);
