// y = x Wᵀ + b with activations rounded to int8 blocks and quantized weights, prompt class: 256 columns of 16 weight rows
// are unpacked once into a panel in scratch (bytes, scales, offsets as f32), then multiplied with 64 rows of activations,
// four at a time. Only the unpacking knows the format. A part is a share of the (row block, group) pairs.
// A row's sum runs over the panels in order, so its bytes do not depend on the rows beside it.
import { type Int, type KernelBuilder, type Variable, type Floats, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, groupBlockBytes } from "../packed-layouts.ts";
import { QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, type LinearValues, groupCount, linearWords, storeOutputs } from "./outputs.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";

/** Rows of activations that one unpacked panel serves: what of them a panel meets fits the first-level cache. */
export const ROW_BLOCK = 64;
/** Activation rows and weight registers of a tile: their products stay in registers. */
const TILE_ROWS = 4;
const TILE_REGISTERS = 2;
/** Columns of a panel. */
const PANEL_COLUMNS = 256;

const GROUP_BYTES = GROUP_ROWS * FLOAT_BYTES;
const PARTS = PANEL_COLUMNS / ACTIVATION_COLUMNS;
// Scratch: sums of a row block, then the panel: bytes, scales and offsets of sub-blocks.
const SUMS = 64;
const BYTES = SUMS + ROW_BLOCK * GROUP_BYTES;
const SCALES = BYTES + (PANEL_COLUMNS / QUAD) * GROUP_BYTES;
const OFFSETS = SCALES + 2 * PARTS * GROUP_BYTES;
/** Bytes of scratch that these kernels need. */
export const PANEL_SCRATCH_BYTES = OFFSETS + 2 * PARTS * GROUP_BYTES;

function linear(name: QuantizedName): LinearKernel {
  const format = quantizedFormats[name];
  const panelBlocks = PANEL_COLUMNS / format.columns;
  return defineKernel(`linear.${name}.panel`, linearWords, (k, w) => {
    const blocks = w.columns.div(format.columns);
    const rowBytes = w.columns.mul(ACTIVATION_BYTES / ACTIVATION_COLUMNS);
    const groups = groupCount(w);
    const rowBlocks = w.rows.add(ROW_BLOCK - 1).div(ROW_BLOCK);
    k.share(groups.mul(rowBlocks), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [firstRow, group] = [unit.div(groups).mul(ROW_BLOCK), unit.rem(groups)];
        const rows = w.rows.sub(firstRow).min(ROW_BLOCK);
        const weight = w.weight.add(group.mul(blocks).mul(groupBlockBytes(name)));
        const x = w.x.add(firstRow.mul(rowBytes));
        k.range(0, rows.mul(GROUP_BYTES), k.lanes * FLOAT_BYTES, (at) => k.scratch.add(at).store(k.floats(0), SUMS));

        k.range(0, blocks, panelBlocks, (block) => {
          const count = blocks.sub(block).min(panelBlocks);
          k.range(0, count, 1, (i) => {
            const from = weight.add(block.add(i).mul(groupBlockBytes(name)));
            unpack(k, format, from, i);
          });
          const parts = count.mul(format.columns / ACTIVATION_COLUMNS);
          const columns = x.add(block.mul((format.columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES));
          const whole = rows.and(-TILE_ROWS);
          k.range(0, whole, TILE_ROWS, (row) => multiply(k, format, TILE_ROWS, row, columns, rowBytes, parts));
          k.range(whole, rows, 1, (row) => multiply(k, format, 1, row, columns, rowBytes, parts));
        });
        finish(k, w, firstRow, rows, group);
      });
    });
  });
}

/** Block `i` of a panel, of all 16 rows, from its packed form. */
function unpack(k: KernelBuilder, format: QuantizedFormat, from: Int, i: Int): void {
  const quads = format.columns / QUAD;
  const subs = format.columns / format.subColumns;
  k.range(0, GROUP_BYTES, k.lanes * FLOAT_BYTES, (register) => {
    const block = format.open(k, from.add(register));
    const bytes = k.scratch.add(i.mul(quads * GROUP_BYTES)).add(register);
    for (let t = 0; t < quads; t++) bytes.store(block.quad(t).shr(block.shift(t)), BYTES + t * GROUP_BYTES);
    const perSub = k.scratch.add(i.mul(subs * GROUP_BYTES)).add(register);
    for (let sub = 0; sub < subs; sub++) {
      const scale = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
      perSub.store(scale, SCALES + sub * GROUP_BYTES);
      // what every byte of the sub-block adds, whatever it is
      let offset = scale.mul(-format.zero);
      if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
      if (block.plus !== undefined) offset = offset.add(block.plus());
      perSub.store(offset, OFFSETS + sub * GROUP_BYTES);
    }
  });
}

/** Adds a panel's products with `count` rows of activations, from `row` of the block on, to their sums. */
function multiply(
  k: KernelBuilder,
  format: QuantizedFormat,
  count: number,
  row: Int,
  columns: Int,
  rowBytes: Int,
  parts: Int,
): void {
  const x = columns.add(row.mul(rowBytes));
  const registers = GROUP_ROWS / k.lanes;
  const registerBytes = k.lanes * FLOAT_BYTES;
  const step = Math.min(TILE_REGISTERS, registers);
  for (let from = 0; from < registers; from += step) {
    const sumsAt = k.scratch.add(row.mul(GROUP_BYTES));
    const offsetOf = (r: number, n: number): number => SUMS + r * GROUP_BYTES + (from + n) * registerBytes;
    const sums: Variable<Floats>[][] = Array.from({ length: count }, (_, r) =>
      Array.from({ length: step }, (_, n) => k.variable(sumsAt.loadFloats(offsetOf(r, n)))),
    );
    k.range(0, parts, 1, (part) => {
      const rowsAt = sums.map((_, r) => x.add(part.mul(ACTIVATION_BYTES)).add(rowBytes.mul(r)));
      const subs = ACTIVATION_COLUMNS / format.subColumns;
      const quads = format.subColumns / QUAD;
      const bytes = k.scratch.add(part.mul((ACTIVATION_COLUMNS / QUAD) * GROUP_BYTES));
      const perSub = k.scratch.add(part.mul(subs * GROUP_BYTES));
      for (let sub = 0; sub < subs; sub++) {
        const products = sums.map((registers) => registers.map(() => k.ints(0)));
        for (let t = 0; t < quads; t++) {
          const quad = sub * quads + t;
          const weights = Array.from({ length: step }, (_, n) =>
            bytes.loadInts(BYTES + quad * GROUP_BYTES + (from + n) * registerBytes),
          );
          for (const [r, at] of rowsAt.entries()) {
            const value = at.splatInts(Activation.bytes + quad * QUAD);
            for (const [n, weight] of weights.entries()) {
              products[r][n] = products[r][n].dotBytes(value, weight, format.bits);
            }
          }
        }
        const totalAt = subs === 1 ? Activation.total : Activation.totalHalf + 4 * sub;
        for (let n = 0; n < step; n++) {
          const at = sub * GROUP_BYTES + (from + n) * registerBytes;
          const [scale, offset] = [perSub.loadFloats(SCALES + at), perSub.loadFloats(OFFSETS + at)];
          for (const [r, rowAt] of rowsAt.entries()) {
            const product = products[r][n].toFloats().mul(rowAt.splatFloats(Activation.d));
            const lowered = offset.madd(rowAt.splatFloats(totalAt), sums[r][n].value);
            sums[r][n].value = product.madd(scale, lowered);
          }
        }
      }
    });
    for (const [r, registers] of sums.entries()) {
      for (const [n, sum] of registers.entries()) sumsAt.store(sum.value, offsetOf(r, n));
    }
  }
}

/** Stores the sums of a row block. */
function finish(k: KernelBuilder, w: LinearValues, firstRow: Int, rows: Int, group: Int): void {
  k.range(0, rows, 1, (row) => {
    for (let n = 0; n < GROUP_ROWS / k.lanes; n++) {
      const sum = k.scratch.add(row.mul(GROUP_BYTES)).loadFloats(SUMS + n * k.lanes * FLOAT_BYTES);
      storeOutputs(k, w, firstRow.add(row), group.mul(GROUP_ROWS).add(n * k.lanes), sum);
    }
  });
}

export const panelKernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, linear(name)]),
) as Record<QuantizedName, LinearKernel>;
