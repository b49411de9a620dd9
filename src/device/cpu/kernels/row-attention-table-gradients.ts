// How a loss changes with what attention of rows adds to its scores: the bias by distance and the sinks. What flows to the
// biases of two blocks is summed in scratch, a query's side by side, then by column. A part is a share of the heads, so that
// no sum is split.
import { getOrMake } from "../../../base/collections.ts";
import { type Int, type Kernel, defineKernel, exp } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats } from "./loops.ts";
import {
  BLOCK,
  type RowAttentionShape,
  fillRows,
  labelOf,
  scratchBlocks,
  sharedWords,
  visibleRange,
} from "./row-attention.ts";
import { blockChanges, changesPlaces, changesWords } from "./row-attention-changes.ts";
import { BLOCK_DISTANCES, distancesOf, eachColumn, firstColumn } from "./row-attention-tables.ts";

/** out (H, distances). */
const biasGradientWords = [...changesWords, ...sharedWords, "out"] as const;
type BiasGradientKernel = Kernel<(typeof biasGradientWords)[number]>;

const kernels = new Map<string, BiasGradientKernel>();

export function biasGradientKernel(shape: RowAttentionShape): BiasGradientKernel {
  const label = `rowAttentionBiasGradient.${labelOf(shape)}`;
  return getOrMake(kernels, label, () => make(label, shape));
}

function make(label: string, shape: RowAttentionShape): BiasGradientKernel {
  return defineKernel(label, biasGradientWords, (k, w) => {
    const reserve = scratchBlocks(k);
    const places = changesPlaces(shape, reserve);
    const sums = reserve(2);
    const lanes = laneNumbers(k);
    const bytes = w.distances.mul(FLOAT_BYTES);

    const addBlock = (out: Int, head: Int, query: Int, count: Int, key: Int): void => {
      blockChanges(k, w, shape, places, { head, query, count, key, lanes });
      fillRows(k, sums, BLOCK_DISTANCES);
      k.range(0, count, 1, (i) => {
        const [from, to] = [places.changes.add(i.mul(BLOCK * FLOAT_BYTES)), distancesOf(sums, i)];
        for (let at = 0; at < BLOCK * FLOAT_BYTES; at += k.lanes * FLOAT_BYTES) {
          to.store(to.loadFloats(at).add(from.loadFloats(at)), at);
        }
      });
      eachColumn(k, w.distances, firstColumn(w.distances, shape, { head, query, key }), (i, column) => {
        const to = out.add(column.mul(FLOAT_BYTES));
        to.store(to.loadFloat().add(sums.add(i.mul(FLOAT_BYTES)).loadFloat()));
      });
    };

    k.share(w.heads, (firstHead, endHead) => {
      k.range(firstHead, endHead, 1, (head) => {
        const out = w.out.add(head.mul(bytes));
        mapFloats(k, k.int(0), w.distances, out, () => k.floats(0));
        k.range(0, w.rows, BLOCK, (query) => {
          const count = w.rows.sub(query).min(BLOCK);
          const range = visibleRange(k, w, shape, { first: query, count });
          k.range(range.first.and(-BLOCK), range.end, BLOCK, (key) => addBlock(out, head, query, count, key));
        });
      });
    });
  });
}

/** out (H): `sums` and `dots` (rows, H), `sinks` (H). */
export const sinkGradientKernel = defineKernel(
  "rowAttentionSinkGradient",
  ["sums", "dots", "sinks", "rows", "heads", "out"],
  (k, w) => {
    k.share(1, (first, end) => {
      k.range(first, end, 1, () => {
        mapFloats(k, k.int(0), w.heads, w.out, (head) => {
          const column = head.mul(FLOAT_BYTES);
          const sink = w.sinks.add(column).loadFloats();
          const sum = k.variable(k.floats(0));
          k.range(0, w.rows, 1, (row) => {
            const at = row.mul(w.heads).mul(FLOAT_BYTES).add(column);
            const share = exp(sink.sub(w.sums.add(at).loadFloats()));
            sum.value = sum.value.sub(share.mul(w.dots.add(at).loadFloats()));
          });
          return sum.value;
        });
      });
    });
  },
);
