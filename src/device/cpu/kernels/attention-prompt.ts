// Attention of many rows over paged keys and values with a running softmax (Milakov & Gimelshein 2018; Dao et al. 2022):
// some keys at a time, never a whole row of scores. A unit is a block of rows and a group: the queries of its heads are one
// matrix, which meets block after block of keys and values. Blocks of keys begin at fixed positions and each query keeps
// sums of its own, so a row's result does not depend on chunks or company. Here: how rows become units, units queries.
// Not here: a unit's products, in f32 (attention-floats.ts) or in tiles (attention-tiles.ts).
import { type Int, type KernelBuilder, type Machine, defineKernel } from "../../../lanes/index.ts";
import { attendFloats, floatsPlan } from "./attention-floats.ts";
import { tilesPlan } from "./attention-tile-plan.ts";
import { attendTiles } from "./attention-tiles.ts";
import {
  type PromptKernel,
  type PromptShape,
  type PromptUnit,
  type PromptWords,
  firstKey,
  promptWords,
} from "./attention-queries.ts";
import { type AttentionShape, intAt, kernelName } from "./attention-shape.ts";
import { ceilDiv } from "./loops.ts";

/** How a unit's products are computed; tiles where the machine has them. */
export type PromptClass = "f32" | "tiles";

const nameOf = (shape: PromptShape, by: PromptClass): string => kernelName(`prompt.${by}.r${shape.half}`, shape);

/** What attends a unit, and how many rows a unit has. */
function unitKernel(
  k: KernelBuilder,
  w: PromptWords,
  shape: PromptShape,
  by: PromptClass,
): { readonly rows: number; readonly attend: (unit: PromptUnit) => void } {
  if (by === "tiles") {
    const plan = tilesPlan(k.machine, shape);
    return { rows: plan.rows, attend: (unit) => attendTiles(k, w, shape, plan, unit) };
  }
  const plan = floatsPlan(k.machine, shape);
  return { rows: plan.rows, attend: (unit) => attendFloats(k, w, shape, plan, unit) };
}

function attention(shape: PromptShape, by: PromptClass): PromptKernel {
  const { groups } = shape;
  return defineKernel(nameOf(shape, by), promptWords, (k, w) => {
    const { rows, attend } = unitKernel(k, w, shape, by);
    const blocks = ceilDiv(w.rows, rows);
    k.share(blocks.mul(groups), (first, end) => {
      k.range(first, end, 1, (unit) => {
        // late rows see most keys: they come first, so that no thread is left with the longest unit
        const block = blocks.sub(1).sub(unit.div(groups));
        const firstRow = block.mul(rows);
        eachSequence(k, w, firstRow, firstRow.add(rows).min(w.rows), (row, end) => {
          attend(promptUnit(k, w, shape, row, end, unit.rem(groups)));
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

/** Rows of a unit on a machine; 0 for heads of which scratch does not hold one row. */
export const promptUnitRows = (machine: Machine, shape: AttentionShape, by: PromptClass): number =>
  (by === "tiles" ? tilesPlan : floatsPlan)(machine, shape).rows;

const known = new Map<string, PromptKernel>();

/** The kernel of a shape that has rows; the same one for the same shape. */
export function promptAttention(shape: PromptShape, by: PromptClass): PromptKernel {
  const name = nameOf(shape, by);
  const kernel = known.get(name) ?? attention(shape, by);
  known.set(name, kernel);
  return kernel;
}
