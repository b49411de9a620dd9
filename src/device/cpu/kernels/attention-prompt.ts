// Attention of many rows over paged keys and values with a running softmax (Milakov & Gimelshein 2018; Dao et al. 2022):
// some keys at a time, never a whole row of scores. A unit is a block of rows and a group: the queries of its heads are one
// matrix, which meets block after block of keys and values. Blocks of keys begin at fixed positions and each query keeps
// sums of its own, so a row's result does not depend on chunks or company. Here: how rows become units, units queries.
// Not here: a unit's products, in f32 (attention-floats.ts) or in tiles (attention-tiles.ts).
import { type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { attendFloats, floatsPlan } from "./attention-floats.ts";
import { type PromptKernel, type PromptUnit, type PromptWords, firstKey, promptWords } from "./attention-queries.ts";
import { type AttentionShape, intAt, kernelName } from "./attention-shape.ts";

function attention(shape: AttentionShape): PromptKernel {
  const { kvHeads } = shape;
  return defineKernel(kernelName("prompt", shape), promptWords, (k, w) => {
    const plan = floatsPlan(k, shape);
    const blocks = w.rows.add(plan.rows - 1).div(plan.rows);
    k.share(blocks.mul(kvHeads), (first, end) => {
      k.range(first, end, 1, (unit) => {
        // late rows see most keys: they come first, so that no thread is left with the longest unit
        const block = blocks.sub(1).sub(unit.div(kvHeads));
        const group = unit.rem(kvHeads);
        const firstRow = block.mul(plan.rows);
        eachSequence(k, w, firstRow, firstRow.add(plan.rows).min(w.rows), (row, end) => {
          attendFloats(k, w, shape, plan, promptUnit(k, w, shape, row, end, group));
        });
      });
    });
  });
}

/** Calls `body` with each run of rows that belong to one sequence. */
function eachSequence(
  k: KernelBuilder,
  w: PromptWords,
  first: Int,
  end: Int,
  body: (row: Int, end: Int) => void,
): void {
  const next = k.variable(first);
  k.range(first, end, 1, (row) => {
    k.when(row.equals(next.value), () => {
      const sequence = intAt(w.sequences, row);
      next.value = row.add(1);
      k.range(row.add(1), end, 1, (other) => {
        const goesOn = intAt(w.sequences, other).equals(sequence).and(other.equals(next.value));
        next.value = next.value.add(goesOn);
      });
      body(row, next.value);
    });
  });
}

function promptUnit(
  k: KernelBuilder,
  w: PromptWords,
  shape: AttentionShape,
  firstRow: Int,
  endRow: Int,
  group: Int,
): PromptUnit {
  const position = intAt(w.positions, firstRow);
  const least = k.variable(firstKey(k, shape, w, position));
  const end = k.variable(position.add(1));
  k.range(firstRow.add(1), endRow, 1, (row) => {
    const position = intAt(w.positions, row);
    least.value = least.value.min(firstKey(k, shape, w, position));
    end.value = end.value.max(position.add(1));
  });
  const pages = w.pages.add(intAt(w.sequences, firstRow).mul(w.pagesPerSequence).shl(2));
  return { firstRow, endRow, group, pages, least: least.value, end: end.value };
}

const known = new Map<string, PromptKernel>();

/** The kernel of a shape; the same one for the same shape. Throws UnsupportedError for heads that no scratch holds. */
export function promptAttention(shape: AttentionShape): PromptKernel {
  const name = kernelName("prompt", shape);
  const kernel = known.get(name) ?? attention(shape);
  known.set(name, kernel);
  return kernel;
}
