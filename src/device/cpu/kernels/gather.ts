// Rows of a packed table (embeddings): out[i] = weights of row ids[i], as f32. Reads the block of W rows that holds the
// wanted one and keeps its lane. A part is a share of the rows.
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { QUAD, type QuantizedName, decodeQuad, quantizedFormats } from "./blocks.ts";
import { type FloatFormatName, floatFormats } from "./linear-float.ts";
import { FLOAT_BYTES } from "./loops.ts";

const words = ["table", "ids", "out", "rows", "columns"] as const;
type GatherKernel = Kernel<(typeof words)[number]>;

/** Calls `store(i, w)` with W rows' weights of column i of the block at `block`; `register` is which W of the 16 rows. */
type Decode = (k: KernelBuilder, block: Int, register: Int, store: (column: number, weights: Floats) => void) => void;

const decodeFloat =
  (name: FloatFormatName): Decode =>
  (k, block, register, store) =>
    store(0, floatFormats[name].load(block.add(register.mul(k.lanes * floatFormats[name].bytes)), 0));

const decodeBlock =
  (name: QuantizedName): Decode =>
  (k, block, register, store) => {
    const format = quantizedFormats[name];
    const open = format.open(k, block.add(register.mul(k.lanes * FLOAT_BYTES)));
    for (let t = 0; t < format.columns / QUAD; t++) {
      decodeQuad(format, open, t).forEach((weights, i) => store(t * QUAD + i, weights));
    }
  };

function gather(name: PackedFormat, decode: Decode): GatherKernel {
  const columnsOfBlock = layouts[name].columns;
  return defineKernel(`gather.${name}`, words, (k, { table, ids, out, rows, columns }) => {
    const blocks = columns.div(columnsOfBlock);
    const registerBytes = k.lanes * FLOAT_BYTES;
    k.share(rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const id = ids.add(row.mul(4)).loadInt();
        const group = table.add(id.div(GROUP_ROWS).mul(blocks).mul(groupBlockBytes(name)));
        const register = id.rem(GROUP_ROWS).div(k.lanes);
        const lane = k.scratch.add(id.rem(k.lanes).mul(FLOAT_BYTES));
        k.range(0, blocks, 1, (block) => {
          decode(k, group.add(block.mul(groupBlockBytes(name))), register, (column, weights) =>
            k.scratch.store(weights, column * registerBytes),
          );
          const to = out.add(row.mul(columns).add(block.mul(columnsOfBlock)).mul(FLOAT_BYTES));
          k.range(0, columnsOfBlock, 1, (column) => {
            to.add(column.mul(FLOAT_BYTES)).store(lane.add(column.mul(registerBytes)).loadFloat());
          });
        });
      });
    });
  });
}

export const gatherKernels = Object.fromEntries([
  ...(Object.keys(floatFormats) as FloatFormatName[]).map((name) => [name, gather(name, decodeFloat(name))]),
  ...(Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, gather(name, decodeBlock(name))]),
]) as Record<PackedFormat, GatherKernel>;
