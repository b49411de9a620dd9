// A unit of prompt attention in tile registers: queries, a block's keys and values and its weights rounded to bf16, scores
// and sums in f32. Keys and values become tiles once for all queries of the unit; queries go in strips of 32: scores of a
// strip, their weights as tiles, sums. A query's sums are scaled back only when a score is far above what they stand
// against, which after the first blocks is seldom (Dao 2025, FlashAttention-4), so weights may be a little over 1.
import { type Floats, type Int, type KernelBuilder, tanh } from "../../../lanes/index.ts";
import {
  LANES_AT,
  type PromptShape,
  type PromptUnit,
  type PromptWords,
  type Queries,
  Query,
  finishQueries,
  headOf,
  queryBytes,
} from "./attention-queries.ts";
import type { AttentionShape } from "./attention-shape.ts";
import { biasOf } from "./attention-tables.ts";
import { cacheReader } from "./cache-reader.ts";
import { bringKeys, bringValues, packQueries } from "./attention-tile-forms.ts";
import { HALF, KEYS, SCORE_STRIDE, STEP, STRIP, type TilesPlan } from "./attention-tile-plan.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { LEAST, roughPower } from "./powers.ts";
import { TILE_BYTES, TILE_ROW_BYTES } from "./tiles.ts";

/**
 * By how many powers of two a score may be above what its query's sums stand against: that article's. 0 to 16 take as long
 * over even scores (bench/attention.ts); the less it is, the more rising scores cost.
 */
const SLACK = 8;

export function attendTiles(
  k: KernelBuilder,
  w: PromptWords,
  shape: PromptShape,
  plan: TilesPlan,
  unit: PromptUnit,
): void {
  const place = (name: keyof TilesPlan["at"]): Int => k.scratch.add(plan.at[name]);
  const reader = cacheReader(k, shape, w, { ...unit, scratch: place("reader") });
  const count = unit.endRow.sub(unit.firstRow).mul(shape.headsPerGroup);
  const queries = { count, records: place("records") };
  const sums = place("sums");
  packQueries(k, w, shape, plan, unit, queries);
  k.range(0, count.mul(plan.sumStride), k.lanes * FLOAT_BYTES, (i) => sums.add(i).store(k.floats(0)));

  k.range(unit.least.and(-KEYS), unit.end, KEYS, (before) => {
    bringKeys(k, shape, plan, reader, before, unit.end);
    bringValues(k, shape, plan, reader, before, unit);
    k.range(0, count, STRIP, (first) => {
      const strip = stripOf(k, plan, queries, first, before);
      k.when(strip.from.less(strip.end), () => {
        scoreStrip(k, plan, strip);
        const last = count.sub(first).min(STRIP);
        k.range(0, last, 1, (query) => {
          weighQuery(k, w, shape, plan, strip, query, headOf(shape, unit, first.add(query)), before);
        });
        addValues(k, plan, strip);
      });
    });
  });

  finishQueries(k, w, shape, unit, queries, (query, column) =>
    sums.add(query.mul(plan.sumStride)).add(column.shl(2)).loadFloats(),
  );
}

/** 32 queries and those steps of 32 keys of a block that any of them sees. */
interface Strip {
  readonly q: Int;
  readonly sums: Int;
  readonly records: Int;
  readonly from: Int;
  readonly end: Int;
}

function stripOf(k: KernelBuilder, plan: TilesPlan, { count, records }: Queries, first: Int, before: Int): Strip {
  const record = records.add(first.mul(queryBytes(k)));
  const from = k.variable(record.loadInt(Query.from));
  const end = k.variable(record.loadInt(Query.end));
  k.range(1, count.sub(first).min(STRIP), 1, (query) => {
    const other = record.add(query.mul(queryBytes(k)));
    from.value = from.value.min(other.loadInt(Query.from));
    end.value = end.value.max(other.loadInt(Query.end));
  });
  return {
    q: k.scratch.add(plan.at.q).add(first.mul((plan.steps * TILE_BYTES) / HALF)),
    sums: k.scratch.add(plan.at.sums).add(first.mul(plan.sumStride)),
    records: record,
    from: from.value.sub(before).max(0).shr(5),
    end: end.value
      .sub(before)
      .max(0)
      .add(STEP - 1)
      .shr(5)
      .min(KEYS / STEP),
  };
}

/** Sums of the tiles [rows 0, 1] x [columns 0, 1]. */
const SUM_TILES = [0, 1, 2, 3];
const [LEFT, RIGHT, LOW, HIGH] = [4, 5, 6, 7];

/** One step of a 2 x 2 product: `rows` are two tiles `rowsApart` bytes apart, `columns` two `columnsApart`. */
function dot(k: KernelBuilder, rows: Int, rowsApart: number, columns: Int, columnsApart: number): void {
  k.tiles.load(LOW, rows, TILE_ROW_BYTES);
  k.tiles.load(LEFT, columns, TILE_ROW_BYTES);
  k.tiles.dotBf16(0, LOW, LEFT);
  k.tiles.load(RIGHT, columns.add(columnsApart), TILE_ROW_BYTES);
  k.tiles.dotBf16(1, LOW, RIGHT);
  k.tiles.load(HIGH, rows.add(rowsApart), TILE_ROW_BYTES);
  k.tiles.dotBf16(2, HIGH, LEFT);
  k.tiles.dotBf16(3, HIGH, RIGHT);
}

/** Scores of a strip over the steps of keys that it sees. */
function scoreStrip(k: KernelBuilder, { steps, at }: TilesPlan, { q, from, end }: Strip): void {
  const bytes = steps * TILE_BYTES;
  k.range(from, end, 1, (pair) => {
    const keys = k.scratch.add(at.keys).add(pair.mul(2 * bytes));
    for (const tile of SUM_TILES) k.tiles.zero(tile);
    for (let step = 0; step < steps; step++) {
      dot(k, q.add(step * TILE_BYTES), bytes, keys.add(step * TILE_BYTES), bytes);
    }
    const to = k.scratch.add(at.scores).add(pair.mul(STEP * FLOAT_BYTES));
    for (const tile of SUM_TILES) {
      const offset = (tile >> 1) * HALF * SCORE_STRIDE + (tile & 1) * HALF * FLOAT_BYTES;
      k.tiles.store(tile, to.add(offset), SCORE_STRIDE);
    }
  });
}

/** sums += weights · values of a strip over the steps of keys that it sees. */
function addValues(k: KernelBuilder, { steps, sumStride, at }: TilesPlan, { sums, from, end }: Strip): void {
  k.range(0, steps, 1, (columns) => {
    const place = (tile: number): Int =>
      sums.add(columns.mul(STEP * FLOAT_BYTES)).add((tile >> 1) * HALF * sumStride + (tile & 1) * HALF * FLOAT_BYTES);
    for (const tile of SUM_TILES) k.tiles.load(tile, place(tile), sumStride);
    k.range(from, end, 1, (step) => {
      const weights = k.scratch.add(at.weights).add(step.mul(TILE_BYTES));
      const values = k.scratch
        .add(at.values)
        .add(step.mul(2 * steps * TILE_BYTES))
        .add(columns.mul(2 * TILE_BYTES));
      dot(k, weights, (KEYS / STEP) * TILE_BYTES, values, TILE_BYTES);
    });
    for (const tile of SUM_TILES) k.tiles.store(tile, place(tile), sumStride);
  });
}

/** Turns the scores of a strip's query into weights, as tiles; keys that it does not see weigh nothing. */
function weighQuery(
  k: KernelBuilder,
  w: PromptWords,
  shape: AttentionShape,
  { steps, sumStride, at }: TilesPlan,
  { records, sums }: Strip,
  query: Int,
  head: Int,
  before: Int,
): void {
  const record = records.add(query.mul(queryBytes(k)));
  const scores = k.scratch.add(at.scores).add(query.mul(SCORE_STRIDE));
  const weights = k.scratch
    .add(at.weights)
    .add(query.shr(4).mul((KEYS / STEP) * TILE_BYTES))
    .add(query.and(HALF - 1).mul(TILE_ROW_BYTES));
  const places = Array.from({ length: KEYS / HALF }, (_, i) => i * HALF * FLOAT_BYTES);
  const from = record.loadInt(Query.from).sub(before);
  const end = record.loadInt(Query.end).sub(before);
  /** Weights of all keys from their scores. */
  const weigh = (load: (place: number) => Floats, weightOf: (place: number, weight: Floats) => Floats): void => {
    let highest = load(places[0]);
    for (const place of places.slice(1)) highest = highest.max(load(place));
    const most = highest.maximum();
    const stands = record.loadFloat(Query.most);
    k.when(stands.add(k.float(SLACK)).less(most), () => {
      const shrink = roughPower(stands.splat().sub(most.splat()));
      const sum = sums.add(query.mul(sumStride));
      for (let i = 0; i < steps * STEP; i += HALF) {
        sum.store(sum.loadFloats(i * FLOAT_BYTES).mul(shrink), i * FLOAT_BYTES);
      }
      record.store(record.loadFloats(Query.sums).mul(shrink), Query.sums);
      record.store(most, Query.most);
    });
    const against = record.splatFloats(Query.most);
    const list = places.map((place) => weightOf(place, roughPower(load(place).sub(against))));
    record.store(total([record.loadFloats(Query.sums), ...list]), Query.sums);
    for (let step = 0; step < KEYS / STEP; step++) {
      weights.store(list[2 * step].pairBf16(list[2 * step + 1]), step * TILE_BYTES);
    }
  };
  if (shape.capped) {
    const cap = w.cap.asFloat().splat();
    for (const place of places) scores.store(tanh(scores.loadFloats(place), k).mul(cap), place);
  }
  if (shape.hasBias) {
    const bias = biasOf(w, head);
    for (const place of places) {
      scores.store(scores.loadFloats(place).add(bias(k.int(place / FLOAT_BYTES), end)), place);
    }
  }
  const isWhole = from.less(1).and(k.int(KEYS - 1).less(end));
  k.when(
    isWhole,
    () =>
      weigh(
        (place) => scores.loadFloats(place),
        (_, weight) => weight,
      ),
    () => {
      k.when(
        from.less(KEYS).and(k.int(0).less(end)),
        () => {
          const lanes = k.scratch.loadFloats(LANES_AT);
          const masked = (place: number, value: Floats, other: number): Floats => {
            const key = place / FLOAT_BYTES;
            const isBefore = lanes.less(from.sub(key).toFloat().splat());
            const isInside = lanes.less(end.sub(key).toFloat().splat());
            return isBefore.selectFloats(other, isInside.selectFloats(value, other));
          };
          weigh(
            (place) => masked(place, scores.loadFloats(place), LEAST),
            (place, weight) => masked(place, weight, 0),
          );
        },
        () => {
          for (let step = 0; step < KEYS / STEP; step++) weights.store(k.ints(0), step * TILE_BYTES);
        },
      );
    },
  );
}

/** The sum of a list, by halves. */
function total(list: readonly Floats[]): Floats {
  if (list.length === 1) return list[0];
  const half = list.length >> 1;
  return total(list.slice(0, half)).add(total(list.slice(half)));
}
