// Rows of a packed table (embeddings): out[i] = weights of row ids[i], as f32. Reads the block of W rows that holds the
// wanted one and keeps its lane. A part is a share of the rows.
import { type Kernel, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { decodeBlock } from "./packed-blocks.ts";

const words = ["table", "ids", "out", "rows", "columns"] as const;
type GatherKernel = Kernel<(typeof words)[number]>;

function gather(name: PackedFormat): GatherKernel {
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
          decodeBlock(k, name, group.add(block.mul(groupBlockBytes(name))), register, (column, weights) =>
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

export const gatherKernels = Object.fromEntries(
  (Object.keys(layouts) as PackedFormat[]).map((name) => [name, gather(name)]),
) as Record<PackedFormat, GatherKernel>;
