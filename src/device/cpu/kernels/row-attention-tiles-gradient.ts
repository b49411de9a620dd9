// The gradient of attention of rows over each other in tile registers (row-attention-tiles.ts), as row-attention-gradient.ts
// finds it in f32, part by part. What flows to keys and values adds up as columns, so that the weights of a block, whose
// rows are queries, are an operand as they lie: pairs of rows side by side.
import { type Float, type Int, type Kernel, defineKernel } from "../../../lanes/index.ts";
import { tileSteps } from "./gemm-pack-tiles.ts";
import { FLOAT_BYTES, ceilDiv, laneNumbers, mapFloats } from "./loops.ts";
import { power } from "./powers.ts";
import { slope } from "./row-attention-changes.ts";
import { SHARE_ROWS, documentFrom } from "./row-attention-gradient.ts";
import { BLOCK, type RowAttentionShape, labelOf, maskOf, sharedWords, visible, visibleRange } from "./row-attention.ts";
import { BLOCK_DISTANCES, bringBias } from "./row-attention-tables.ts";
import { PANELS, SIDES, scoreOf, scratchBytes, sumProducts } from "./row-attention-tiles.ts";
import { SUMS_BYTES, sumsOfRow } from "./tile-shapes.ts";
import { PANEL_ROWS, STEP_BYTES, STEP_COLUMNS, TILE_BYTES, TILE_ROWS, TILE_ROW_BYTES } from "./tiles.ts";

/**
 * q and dy (rows, heads * D) as rows of a product: along, and across `queriesAcross`, `upstreamAcross`; k and v (rows, heads /
 * repeat * D) as outputs: along, and k across `keysAcross`; the rest as in row-attention-gradient.ts.
 */
export const rowAttentionTilesGradientWords = [
  "queries",
  "queriesAcross",
  "upstream",
  "upstreamAcross",
  "keys",
  "keysAcross",
  "values",
  "starts",
  "ends",
  "sums",
  "dots",
  "dq",
  "dk",
  "dv",
  "dqStride",
  "dkStride",
  "dvStride",
  "dqFirst",
  "dkFirst",
  "dvFirst",
  ...sharedWords,
] as const;
type GradientKernel = Kernel<(typeof rowAttentionTilesGradientWords)[number]>;

const kernels = new Map<string, GradientKernel>();

export function rowAttentionTilesGradientKernel(shape: RowAttentionShape): GradientKernel {
  const label = `rowAttentionGradient.tiles.${labelOf(shape)}`;
  const known = kernels.get(label) ?? make(label, shape);
  kernels.set(label, known);
  return known;
}

const PAIRS = PANELS.length ** 2;
/** Of a panel of queries and one of keys. */
const ofPair = (query: number, key: number): number => query * PANELS.length + key;
const HALVES = [0, 1] as const;

function make(label: string, shape: RowAttentionShape): GradientKernel {
  const { headSize, capped, bothWays, hasBias } = shape;
  const steps = headSize / STEP_COLUMNS; // of a head
  const headBytes = headSize * FLOAT_BYTES;
  const columnsOfHead = Array.from({ length: steps }, (_, n) => n);
  return defineKernel(label, rowAttentionTilesGradientWords, (k, w) => {
    const reserve = scratchBytes(k);
    const [products, changes] = [reserve(PAIRS * SUMS_BYTES), reserve(PAIRS * SUMS_BYTES)];
    const [weightColumns, changeColumns, changeRows] = [0, 1, 2].map(() => reserve(PAIRS * STEP_BYTES));
    const [flows, keySums, valueSums] = [0, 1, 2].map(() => reserve(PANELS.length * steps * SUMS_BYTES));
    const biases = reserve(BLOCK_DISTANCES * FLOAT_BYTES);
    const lanes = laneNumbers(k);
    const [scale, cap] = [w.scale.asFloat(), w.cap.asFloat()];
    const score = scoreOf(k, shape, scale, cap);
    const rowPanels = ceilDiv(w.rows, PANEL_ROWS);
    const groups = w.heads.div(w.repeat);
    const [columns, groupColumns] = [w.heads, groups].map((count) => count.mul(headSize));
    const queryAt = tileSteps(w.queries, rowPanels, columns);
    const queryAcrossAt = tileSteps(w.queriesAcross, w.heads.mul(steps), w.rows);
    const upstreamAt = tileSteps(w.upstream, rowPanels, columns);
    const upstreamAcrossAt = tileSteps(w.upstreamAcross, w.heads.mul(steps), w.rows);
    const keyAt = tileSteps(w.keys, rowPanels, groupColumns);
    const keyAcrossAt = tileSteps(w.keysAcross, groups.mul(steps), w.rows);
    const valueAt = tileSteps(w.values, rowPanels, groupColumns);
    const [dq, dk, dv] = [w.dq.add(w.dqFirst), w.dk.add(w.dkFirst), w.dv.add(w.dvFirst)];
    const panelsAt = (row: Int): Int[] => PANELS.map((n) => row.div(PANEL_ROWS).add(n).min(rowPanels.sub(1)));

    /** Weights of the block and how their scores change, as the products below read them; 0 where a row sees no key. */
    const weigh = (head: Int, query: Int, key: Int): void => {
      const bias = hasBias ? bringBias(k, w, shape, { head, query, key }, biases) : undefined;
      k.range(0, TILE_ROWS, 1, (i) => {
        const inTile = i.mul(TILE_ROW_BYTES);
        for (const q of PANELS) {
          const rows = HALVES.map((half) => {
            const row = query.add(i).add(q * PANEL_ROWS + half * TILE_ROWS);
            const own = row.min(w.rows.sub(1));
            const { first, end } = visible(w, shape, own);
            const statistics = own.mul(w.heads).add(head).mul(FLOAT_BYTES);
            return {
              mask: maskOf({ first, end: row.less(w.rows).select(end, 0) }, key, lanes),
              sum: w.sums.add(statistics).splatFloats().mul(Math.LOG2E),
              dot: w.dots.add(statistics).splatFloats(),
            };
          });
          for (const n of PANELS) {
            const found = rows.map(({ mask, sum, dot }, half) =>
              SIDES.map((side) => {
                const at = ofPair(q, n) * SUMS_BYTES + (2 * half + side) * TILE_BYTES;
                const place = n * PANEL_ROWS + side * TILE_ROWS;
                const product = score(products.add(inTile).loadFloats(at));
                const value =
                  bias === undefined
                    ? product
                    : product.add(bias(i.add(q * PANEL_ROWS + half * TILE_ROWS), place).mul(Math.LOG2E));
                const isSeen = mask(place);
                const weight = isSeen.selectFloats(power(value.sub(sum)), 0);
                const flowing = weight.mul(changes.add(inTile).loadFloats(at).sub(dot));
                const change = capped ? flowing.mul(slope(k, value.mul(Math.LN2), w.cap)) : flowing;
                return { weight, change: isSeen.selectFloats(change, 0) };
              }),
            );
            const [low, high] = found;
            for (const side of SIDES) {
              const at = ofPair(q, n) * STEP_BYTES + side * TILE_BYTES;
              weightColumns.add(inTile).store(low[side].weight.pairBf16(high[side].weight), at);
              changeColumns.add(inTile).store(low[side].change.pairBf16(high[side].change), at);
            }
            for (const [half, [left, right]] of found.entries()) {
              const at = ofPair(q, n) * STEP_BYTES + half * TILE_BYTES;
              changeRows.add(inTile).store(left.change.pairBf16(right.change), at);
            }
          }
        }
      });
    };

    /** Queries from `query` on meet the keys from `key` on. */
    const meet = (head: Int, query: Int, key: Int, begin: Int, stop: Int): void => {
      const group = head.div(w.repeat);
      const [queryPanels, keyPanels] = [panelsAt(query), panelsAt(key)];
      for (const q of PANELS) {
        for (const n of PANELS) {
          const sumsAt = ofPair(q, n) * SUMS_BYTES;
          const both = (rowsAt: typeof queryAt, outputsAt: typeof keyAt) =>
            columnsOfHead.map((step) => ({
              rows: rowsAt(queryPanels[q], head.mul(steps).add(step)),
              outputs: outputsAt(keyPanels[n], group.mul(steps).add(step)),
            }));
          sumProducts(k, products.add(sumsAt), both(queryAt, keyAt), false);
          sumProducts(k, changes.add(sumsAt), both(upstreamAt, valueAt), false);
        }
      }
      weigh(head, query, key);
      for (const column of columnsOfHead) {
        for (const n of PANELS) {
          const at = (column * PANELS.length + n) * SUMS_BYTES;
          const both = (rowsAt: typeof queryAt, outputs: Int) =>
            PANELS.map((q) => ({
              rows: rowsAt(head.mul(steps).add(column), queryPanels[q]),
              outputs: outputs.add(ofPair(q, n) * STEP_BYTES),
            }));
          sumProducts(k, valueSums.add(at), both(upstreamAcrossAt, weightColumns), true);
          sumProducts(k, keySums.add(at), both(queryAcrossAt, changeColumns), true);
        }
        for (const q of PANELS) {
          const flowing = PANELS.map((n) => ({
            rows: changeRows.add(ofPair(q, n) * STEP_BYTES),
            outputs: keyAcrossAt(group.mul(steps).add(column), keyPanels[n]),
          }));
          sumProducts(k, flows.add((q * steps + column) * SUMS_BYTES), flowing, false);
        }
      }
      k.range(query.max(begin), query.add(BLOCK).min(stop), 1, (row) => {
        const i = row.sub(query);
        const from = sumsOfRow(flows.add(i.div(PANEL_ROWS).mul(steps * SUMS_BYTES)), i.and(PANEL_ROWS - 1));
        const to = dq.add(row.mul(w.dqStride)).add(head.mul(headBytes));
        for (const n of columnsOfHead) {
          for (const side of SIDES) {
            const at = (n * STEP_COLUMNS + side * TILE_ROWS) * FLOAT_BYTES;
            const flow = from.loadFloats(n * SUMS_BYTES + side * TILE_BYTES);
            to.store(flow.madd(scale.splat(), to.loadFloats(at)), at);
          }
        }
      });
    };

    /** Puts the sums of a block's keys upright, each of which has a column: those from `first` on and below `end`. */
    const storeKeys = (
      sums: Int,
      keys: { first: Int; end: Int; block: Int },
      out: (row: Int) => Int,
      factor: Float,
    ): void =>
      k.range(keys.first, keys.end, 1, (row) => {
        const i = row.sub(keys.block);
        const inPanel = i.and(PANEL_ROWS - 1);
        const from = sums
          .add(i.div(PANEL_ROWS).mul(SUMS_BYTES))
          .add(inPanel.div(TILE_ROWS).mul(TILE_BYTES))
          .add(inPanel.and(TILE_ROWS - 1).mul(FLOAT_BYTES));
        k.range(0, steps, 1, (n) => {
          const source = from.add(n.mul(PANELS.length * SUMS_BYTES));
          const to = out(row).add(n.mul(STEP_COLUMNS * FLOAT_BYTES));
          for (let column = 0; column < STEP_COLUMNS; column++) {
            const at = Math.floor(column / TILE_ROWS) * 2 * TILE_BYTES + (column % TILE_ROWS) * TILE_ROW_BYTES;
            to.store(source.loadFloat(at).mul(factor), column * FLOAT_BYTES);
          }
        });
      });

    const shares = bothWays ? k.int(1) : ceilDiv(w.rows, SHARE_ROWS);
    k.share(shares.mul(groups), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const [share, group] = [unit.div(groups), unit.rem(groups)];
        const start = share.mul(SHARE_ROWS);
        const [begin, stop] = bothWays
          ? [start, w.rows]
          : [documentFrom(k, w, start), documentFrom(k, w, start.add(SHARE_ROWS).min(w.rows))];
        const heads = group.mul(w.repeat);
        k.range(begin, stop, 1, (row) => {
          const to = dq.add(row.mul(w.dqStride)).add(heads.mul(headBytes));
          mapFloats(k, k.int(0), w.repeat.mul(headSize), to, () => k.floats(0));
        });
        k.range(begin.and(-BLOCK), stop, BLOCK, (key) => {
          const keyEnd = key.add(BLOCK).min(stop);
          k.range(0, PANELS.length * steps * SUMS_BYTES, TILE_ROW_BYTES, (at) => {
            for (const sums of [keySums, valueSums]) sums.add(at).store(k.floats(0));
          });
          k.range(heads, heads.add(w.repeat), 1, (head) => {
            k.range(bothWays ? begin.and(-BLOCK) : key, stop, BLOCK, (query) => {
              const count = w.rows.sub(query).min(BLOCK);
              const range = visibleRange(k, w, shape, { first: query, count });
              k.when(range.first.less(keyEnd).and(key.less(range.end)), () => meet(head, query, key, begin, stop));
            });
          });
          const keys = { first: key.max(begin), end: keyEnd, block: key };
          const outOf = (base: Int, stride: Int) => (row: Int) => base.add(row.mul(stride)).add(group.mul(headBytes));
          storeKeys(keySums, keys, outOf(dk, w.dkStride), scale);
          storeKeys(valueSums, keys, outOf(dv, w.dvStride), k.float(1));
        });
      });
    });
  });
}
