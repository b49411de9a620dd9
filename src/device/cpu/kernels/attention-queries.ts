// The queries of a unit of prompt attention, each with a record of its running softmax: which keys it sees, its highest
// score so far, the factor of what it had before, the sum of its weights lane by lane. Scores are in powers of two.
import { type Floats, type Int, type Kernel, type KernelBuilder, type Machine, tanh } from "../../../lanes/index.ts";
import { type AttentionShape, intAt } from "./attention-shape.ts";
import { biasOf, sinkOf, tableWords } from "./attention-tables.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats } from "./loops.ts";
import { LEAST, power } from "./powers.ts";

export const promptWords = [
  "q",
  "keys",
  "values",
  // bytes of a head's plane of keys, or values
  "plane",
  "pages",
  "positions",
  "sequences",
  "out",
  "rows",
  // bytes from one row's queries to the next's
  "qStride",
  // rows of `half` angles, where queries are rotated here
  "cos",
  "sin",
  "pagesPerSequence",
  "window",
  // scores are `factor` q·k, or with a cap `cap` tanh(`factor` q·k), in units of log 2
  "factor",
  "cap",
  ...tableWords,
] as const;
export type PromptWords = Readonly<Record<(typeof promptWords)[number], Int>>;
export type PromptKernel = Kernel<(typeof promptWords)[number]>;

export interface PromptShape extends AttentionShape {
  /** Queries' columns are rotated on their way in, as pairs (i, i + half), a multiple of 16; 0: they come as they are. */
  readonly half: number;
}

/** The rows [firstRow, endRow) of one sequence, with the heads of one group. */
export interface PromptUnit {
  readonly firstRow: Int;
  readonly endRow: Int;
  readonly group: Int;
  /** The sequence's page table. */
  readonly pages: Int;
  /** The first key that any row sees, and the one past the last. */
  readonly least: Int;
  readonly end: Int;
}

/** The first key that the row at `position` sees. */
export const firstKey = (k: KernelBuilder, shape: AttentionShape, w: PromptWords, position: Int): Int =>
  shape.windowed ? position.add(1).sub(w.window).max(0) : k.int(0);

/** A query's record: the keys [from, end) that it sees, its highest score, its shrink factor, then its sums. */
export const Query = { from: 0, end: 4, most: 8, shrink: 12, sums: 16 } as const;
export const queryBytes = ({ lanes }: Pick<Machine, "lanes">): number => Query.sums + lanes * FLOAT_BYTES;
/** In scratch, after the register of loops.ts: the lanes' numbers as floats. */
export const LANES_AT = 64;
/** Where scratch is free. */
export const QUERIES_SCRATCH = 128;

/** All queries of a unit. */
export interface Queries {
  readonly count: Int;
  readonly records: Int;
}

/** Calls `body` with each query's number, row, and head. */
function eachQuery(
  k: KernelBuilder,
  { headsPerGroup }: AttentionShape,
  { firstRow, endRow, group }: PromptUnit,
  body: (query: Int, row: Int, head: Int) => void,
): void {
  k.range(firstRow, endRow, 1, (row) => {
    k.range(0, headsPerGroup, 1, (head) => {
      body(row.sub(firstRow).mul(headsPerGroup).add(head), row, group.mul(headsPerGroup).add(head));
    });
  });
}

/** The head of a unit's query. */
export const headOf = ({ headsPerGroup }: AttentionShape, { group }: PromptUnit, query: Int): Int =>
  group.mul(headsPerGroup).add(query.rem(headsPerGroup));

const recordOf = (k: KernelBuilder, { records }: Queries, query: Int): Int => records.add(query.mul(queryBytes(k)));

/** Columns from `column` on of a head whose first 2 · half columns are turned. */
function rotated(head: Int, cos: Int, sin: Int, half: number, column: number): Floats {
  const at = (from: Int, index: number): Floats => from.loadFloats(index * FLOAT_BYTES);
  if (column < half) {
    return at(head, column)
      .mul(at(cos, column))
      .sub(at(head, column + half).mul(at(sin, column)));
  }
  if (column >= 2 * half) return at(head, column);
  const angle = column - half;
  return at(head, column)
    .mul(at(cos, angle))
    .add(at(head, angle).mul(at(sin, angle)));
}

/** Sets the records up, and calls `store` with what loads a register of each query, rotated, times the factor of scores. */
export function startQueries(
  k: KernelBuilder,
  w: PromptWords,
  shape: PromptShape,
  unit: PromptUnit,
  queries: Queries,
  store: (query: Int, load: (column: number) => Floats) => void,
): void {
  k.scratch.store(laneNumbers(k), LANES_AT);
  const factor = w.factor.asFloat().splat();
  eachQuery(k, shape, unit, (query, row, head) => {
    const record = recordOf(k, queries, query);
    const position = intAt(w.positions, row);
    record.store(firstKey(k, shape, w, position), Query.from);
    record.store(position.add(1), Query.end);
    record.store(shape.hasSinks ? sinkOf(w, head) : k.float(LEAST), Query.most);
    record.store(k.floats(0), Query.sums);
    if (shape.hasSinks) record.store(k.float(1), Query.sums);
    const from = w.q.add(row.mul(w.qStride)).add(head.mul(shape.headSize * FLOAT_BYTES));
    const angles = row.mul(shape.half * FLOAT_BYTES);
    const [cos, sin] = [w.cos.add(angles), w.sin.add(angles)];
    store(query, (column) => rotated(from, cos, sin, shape.half, column).mul(factor));
  });
}

/**
 * Turns a query's scores of the keys [before, before + keys) into weights, in place, against the highest score so far;
 * keys that it does not see weigh nothing.
 */
export function weighQuery(
  k: KernelBuilder,
  w: PromptWords,
  shape: AttentionShape,
  record: Int,
  head: Int,
  scores: Int,
  before: Int,
  keys: number,
): void {
  const from = record.loadInt(Query.from).sub(before);
  const end = record.loadInt(Query.end).sub(before);
  const each = (body: (place: Int, key: Int) => void): void => {
    k.range(0, keys, 4 * k.lanes, (first) => {
      for (let i = 0; i < 4; i++) {
        const key = first.add(i * k.lanes);
        body(scores.add(key.shl(2)), key);
      }
    });
  };
  k.when(
    from.less(keys).and(k.int(0).less(end)),
    () => {
      if (shape.capped) {
        const cap = w.cap.asFloat().splat();
        each((place) => place.store(tanh(place.loadFloats(), k).mul(cap)));
      }
      if (shape.hasBias) {
        const bias = biasOf(w, head);
        each((place, key) => place.store(place.loadFloats().add(bias(key, end))));
      }
      k.when(k.int(0).less(from).or(end.less(keys)), () => {
        const lanes = k.scratch.loadFloats(LANES_AT);
        each((place, key) => {
          const isBefore = lanes.less(from.sub(key).toFloat().splat());
          const isInside = lanes.less(end.sub(key).toFloat().splat());
          const seen = isInside.selectFloats(place.loadFloats(), LEAST);
          place.store(isBefore.selectFloats(LEAST, seen));
        });
      });
      const before = record.loadFloat(Query.most);
      const highest = k.variable(before.splat());
      each((place) => (highest.value = highest.value.max(place.loadFloats())));
      const most = highest.value.maximum().splat();
      const shrink = power(before.splat().sub(most));
      const sum = k.variable(record.loadFloats(Query.sums).mul(shrink));
      each((place) => {
        const weight = power(place.loadFloats().sub(most));
        place.store(weight);
        sum.value = sum.value.add(weight);
      });
      record.store(most.lane(0), Query.most);
      record.store(shrink.lane(0), Query.shrink);
      record.store(sum.value, Query.sums);
    },
    () => {
      each((place) => place.store(k.floats(0)));
      record.store(k.float(1), Query.shrink);
    },
  );
}

/** Stores each query's weighted values, of which `sum` gives a register, divided by the sum of its weights. */
export function finishQueries(
  k: KernelBuilder,
  w: PromptWords,
  shape: AttentionShape,
  unit: PromptUnit,
  queries: Queries,
  sum: (query: Int, column: Int) => Floats,
): void {
  const heads = shape.groups * shape.headsPerGroup;
  eachQuery(k, shape, unit, (query, row, head) => {
    const total = recordOf(k, queries, query).loadFloats(Query.sums).sum();
    const share = k.float(1).div(total).splat();
    const to = w.out.add(
      row
        .mul(heads)
        .add(head)
        .mul(shape.headSize * FLOAT_BYTES),
    );
    mapFloats(k, k.int(0), k.int(shape.headSize), to, (i) => sum(query, i).mul(share));
  });
}
