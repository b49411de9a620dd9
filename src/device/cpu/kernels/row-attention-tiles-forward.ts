// Attention of rows over each other, forward, in tile registers (row-attention-tiles.ts): as row-attention-forward.ts does
// it in f32. A part is a share of the blocks of queries of all heads.
import { type Int, type Kernel, defineKernel, log } from "../../../lanes/index.ts";
import { tileSteps } from "./gemm-pack-tiles.ts";
import { FLOAT_BYTES, ceilDiv, laneNumbers } from "./loops.ts";
import { LEAST, power } from "./powers.ts";
import { BLOCK, type RowAttentionShape, labelOf, maskOf, sharedWords, visible, visibleRange } from "./row-attention.ts";
import { BLOCK_DISTANCES, bringBias } from "./row-attention-tables.ts";
import { PANELS, SIDES, scoreOf, scratchBytes, sumProducts } from "./row-attention-tiles.ts";
import { SUMS_BYTES, sumsOfRow } from "./tile-shapes.ts";
import { PANEL_ROWS, STEP_BYTES, STEP_COLUMNS, TILE_BYTES, TILE_ROWS, TILE_ROW_BYTES } from "./tiles.ts";

/**
 * `queries`: q (rows, heads * D) as rows of a product, along; `keys`: k (rows, heads / repeat * D) as outputs, along; `values`:
 * v as outputs, across; out (rows, heads * D); `sums` (rows, heads). f32 bits: scale, cap.
 */
export const rowAttentionTilesWords = [
  "queries",
  "keys",
  "values",
  "starts",
  "ends",
  "out",
  "sums",
  ...sharedWords,
] as const;
type ForwardKernel = Kernel<(typeof rowAttentionTilesWords)[number]>;

const kernels = new Map<string, ForwardKernel>();

export function rowAttentionTilesKernel(shape: RowAttentionShape): ForwardKernel {
  const label = `rowAttention.tiles.${labelOf(shape)}`;
  const known = kernels.get(label) ?? make(label, shape);
  kernels.set(label, known);
  return known;
}

function make(label: string, shape: RowAttentionShape): ForwardKernel {
  const { headSize, hasBias, hasSinks } = shape;
  const steps = headSize / STEP_COLUMNS; // of a head
  const headBytes = headSize * FLOAT_BYTES;
  const columnsOfHead = Array.from({ length: steps }, (_, n) => n);
  return defineKernel(label, rowAttentionTilesWords, (k, w) => {
    const reserve = scratchBytes(k);
    const pairs = PANELS.length ** 2;
    const [scores, weights] = [reserve(pairs * SUMS_BYTES), reserve(pairs * STEP_BYTES)];
    const mixed = reserve(PANELS.length * steps * SUMS_BYTES);
    const [largest, whole] = [reserve(BLOCK * TILE_ROW_BYTES), reserve(BLOCK * TILE_ROW_BYTES)];
    const biases = reserve(BLOCK_DISTANCES * FLOAT_BYTES);
    const lanes = laneNumbers(k);
    const score = scoreOf(k, shape, w.scale.asFloat(), w.cap.asFloat());
    const rowPanels = ceilDiv(w.rows, PANEL_ROWS);
    const groups = w.heads.div(w.repeat);
    const queryAt = tileSteps(w.queries, rowPanels, w.heads.mul(headSize));
    const keyAt = tileSteps(w.keys, rowPanels, groups.mul(headSize));
    const valueAt = tileSteps(w.values, groups.mul(steps), w.rows);
    const rowBytes = w.heads.mul(headBytes);
    /** Panels of a block; where there is none, the last one: nobody sees its keys, and its queries are not stored. */
    const panelsAt = (row: Int): Int[] => PANELS.map((n) => row.div(PANEL_ROWS).add(n).min(rowPanels.sub(1)));
    const ofPair = (query: number, key: number): number => query * PANELS.length + key;
    const rowOf = (base: Int, panels: number, i: Int): Int =>
      sumsOfRow(base.add(i.div(PANEL_ROWS).mul(panels * SUMS_BYTES)), i.and(PANEL_ROWS - 1));

    k.share(ceilDiv(w.rows, BLOCK).mul(w.heads), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const [row, head] = [unit.div(w.heads).mul(BLOCK), unit.rem(w.heads)];
        const group = head.div(w.repeat);
        const count = w.rows.sub(row).min(BLOCK);
        const queryPanels = panelsAt(row);
        k.range(0, PANELS.length * steps * SUMS_BYTES, TILE_ROW_BYTES, (at) => mixed.add(at).store(k.floats(0)));
        const sink = hasSinks ? w.sinks.add(head.mul(FLOAT_BYTES)).splatFloats().mul(Math.LOG2E) : undefined;
        k.range(0, BLOCK * TILE_ROW_BYTES, TILE_ROW_BYTES, (at) => {
          largest.add(at).store(sink ?? k.floats(LEAST));
          whole.add(at).store(k.floats(0));
          if (hasSinks) whole.add(at).store(k.float(1));
        });
        const range = visibleRange(k, w, shape, { first: row, count });
        k.range(range.first.and(-BLOCK), range.end, BLOCK, (key) => {
          const keyPanels = panelsAt(key);
          for (const [q, queryPanel] of queryPanels.entries()) {
            for (const [n, keyPanel] of keyPanels.entries()) {
              const products = columnsOfHead.map((step) => ({
                rows: queryAt(queryPanel, head.mul(steps).add(step)),
                outputs: keyAt(keyPanel, group.mul(steps).add(step)),
              }));
              sumProducts(k, scores.add(ofPair(q, n) * SUMS_BYTES), products, false);
            }
          }
          const bias = hasBias ? bringBias(k, w, shape, { head, query: row, key }, biases) : undefined;
          k.range(0, count, 1, (i) => {
            const mask = maskOf(visible(w, shape, row.add(i)), key, lanes);
            const from = rowOf(scores, PANELS.length, i);
            const [largestAt, wholeAt] = [largest, whole].map((at) => at.add(i.mul(TILE_ROW_BYTES)));
            const seen = PANELS.map((n) =>
              SIDES.map((side) => {
                const [value, place] = [
                  score(from.loadFloats(n * SUMS_BYTES + side * TILE_BYTES)),
                  n * PANEL_ROWS + side * TILE_ROWS,
                ];
                const biased = bias === undefined ? value : value.add(bias(i, place).mul(Math.LOG2E));
                return mask(place).selectFloats(biased, LEAST);
              }),
            );
            const before = largestAt.loadFloats();
            const most = seen.flat().reduce((a, b) => a.max(b));
            const now = most.maximum().splat().max(before);
            const powers = seen.map((sides) =>
              sides.map((value) => value.less(LEAST / 2).selectFloats(0, power(value.sub(now)))),
            );
            const to = weights
              .add(i.div(PANEL_ROWS).mul(PANELS.length * STEP_BYTES))
              .add(i.and(PANEL_ROWS - 1).mul(TILE_ROW_BYTES));
            for (const [n, [left, right]] of powers.entries()) to.store(left.pairBf16(right), n * STEP_BYTES);
            const shrink = power(before.sub(now));
            largestAt.store(now);
            wholeAt.store(powers.flat().reduce((sum, value) => sum.add(value), wholeAt.loadFloats().mul(shrink)));
            const mixedAt = rowOf(mixed, steps, i);
            for (const n of columnsOfHead) {
              for (const side of SIDES) {
                const at = n * SUMS_BYTES + side * TILE_BYTES;
                mixedAt.store(mixedAt.loadFloats(at).mul(shrink), at);
              }
            }
          });
          for (const q of PANELS) {
            for (const n of columnsOfHead) {
              const products = keyPanels.map((keyPanel, i) => ({
                rows: weights.add(ofPair(q, i) * STEP_BYTES),
                outputs: valueAt(group.mul(steps).add(n), keyPanel),
              }));
              sumProducts(k, mixed.add((q * steps + n) * SUMS_BYTES), products, true);
            }
          }
        });
        k.range(0, count, 1, (i) => {
          const sum = whole.add(i.mul(TILE_ROW_BYTES)).loadFloats().sum().splat();
          const most = largest.add(i.mul(TILE_ROW_BYTES)).loadFloats();
          const at = row.add(i).mul(w.heads).add(head).mul(FLOAT_BYTES);
          w.sums.add(at).store(most.mul(Math.LN2).add(log(sum)).lane(0));
          const factor = k.floats(1).div(sum);
          const from = rowOf(mixed, steps, i);
          const to = w.out.add(row.add(i).mul(rowBytes)).add(head.mul(headBytes));
          for (const n of columnsOfHead) {
            for (const side of SIDES) {
              const value = from.loadFloats(n * SUMS_BYTES + side * TILE_BYTES).mul(factor);
              to.store(value, (n * STEP_COLUMNS + side * TILE_ROWS) * FLOAT_BYTES);
            }
          }
        });
      });
    });
  });
}
