// Causal attention over paged keys and values, with a running softmax (Milakov & Gimelshein 2018; Dao et al. 2022): some
// keys at a time, never a whole row of scores. A unit is a block of rows and some heads that read one key-value head: its
// keys and values are brought to f32 in scratch once for all of them. A part is a share of the units. Keys are cut where
// positions say and each row keeps sums of its own, so a row's result does not depend on chunks or company.
import { type Int, type Kernel, type KernelBuilder, defineKernel, exp, loadF16, tanh } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats, sumFloats } from "./loops.ts";

const words = [
  "q",
  "keys",
  "values",
  "pages",
  "positions",
  "sequences",
  "out",
  "rows",
  "heads",
  "headsPerGroup",
  "headSize",
  "columns",
  "pageSize",
  "pagesPerSequence",
  "window",
  "scale",
  "softCap",
  // how the work is cut, from shapes alone
  "rowsPerUnit",
  "headsPerUnit",
  "unitsPerRow",
  "keysPerStep",
] as const;
type Words = Readonly<Record<(typeof words)[number], Int>>;

/** Head sizes are filled up with zeros to a multiple of this: what the inner loops take at once. */
const PAD = 32;
/** Keys that are multiplied with one query at once. */
const KEYS = 4;
/** Floats of a key that one turn of the inner loop multiplies. */
const TURN = 16;
/** Smaller than any score, and finite, so that differences stay numbers. */
const LEAST = -1e30;

// Scratch: what loops.ts uses, the keys or values of a step as f32, then one record for each query of the unit.
const STEP_AT = 64;
/** A query's record: its highest score, its sum of weights, the factor of what it had before, then arrays. */
const Query = { most: 0, total: 4, shrink: 8, bytes: 16 } as const;

const padded = (headSize: number): number => Math.ceil(headSize / PAD) * PAD;
/** The scores of a step, with room for a register past the end. */
const scoreFloats = (keysPerStep: number): number => keysPerStep + 16;

/** How a unit is cut so that it fits `scratchBytes`: rows and keys at once; undefined where one row does not fit. */
export function cutAttention(
  headSize: number,
  pageSize: number,
  heads: number,
  rowsMost: number,
  scratchBytes: number,
): { rowsPerUnit: number; keysPerStep: number } | undefined {
  const keysMost = 32;
  const divisors = Array.from({ length: keysMost }, (_, i) => keysMost - i);
  const keysPerStep = divisors.find((keys) => pageSize % keys === 0) as number; // 1 divides
  const queryBytes = Query.bytes + (scoreFloats(keysPerStep) + 2 * padded(headSize)) * FLOAT_BYTES;
  const left = scratchBytes - STEP_AT - keysPerStep * padded(headSize) * FLOAT_BYTES;
  const rowsPerUnit = Math.min(rowsMost, Math.floor(left / (queryBytes * heads)));
  return rowsPerUnit < 1 ? undefined : { rowsPerUnit, keysPerStep };
}

interface Places {
  readonly rowBytes: Int;
  readonly queries: Int;
  readonly queryBytes: Int;
  /** Offsets in a query's record. */
  readonly scores: Int;
  readonly q: Int;
  readonly sums: Int;
}

function attention(type: "f32" | "f16", capped: boolean): Kernel<(typeof words)[number]> {
  return defineKernel(`attention.${type}${capped ? ".cap" : ""}`, words, (k, w) => {
    const rowFloats = w.headSize.add(PAD - 1).and(-PAD);
    const rowBytes = rowFloats.mul(FLOAT_BYTES);
    const scores = k.int(Query.bytes);
    const q = scores.add(w.keysPerStep.add(16).mul(FLOAT_BYTES));
    const places: Places = {
      rowBytes,
      queries: k.scratch.add(STEP_AT).add(w.keysPerStep.mul(rowBytes)),
      queryBytes: q.add(rowBytes).add(rowBytes),
      scores,
      q,
      sums: q.add(rowBytes),
    };
    const rowBlocks = w.rows.add(w.rowsPerUnit).sub(1).div(w.rowsPerUnit);
    const slices = w.headsPerGroup.add(w.headsPerUnit).sub(1).div(w.headsPerUnit);
    k.share(rowBlocks.mul(w.unitsPerRow), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const firstRow = unit.div(w.unitsPerRow).mul(w.rowsPerUnit);
        const [group, slice] = [unit.rem(w.unitsPerRow).div(slices), unit.rem(w.unitsPerRow).rem(slices)];
        const firstHead = slice.mul(w.headsPerUnit);
        const heads = w.headsPerGroup.sub(firstHead).min(w.headsPerUnit);
        const endRow = firstRow.add(w.rowsPerUnit).min(w.rows);
        eachSequence(k, w, firstRow, endRow, (row, end) => {
          attendRows(k, w, places, { type, capped }, row, end, group, group.mul(w.headsPerGroup).add(firstHead), heads);
        });
      });
    });
  });
}

const at = (base: Int, row: Int): Int => base.add(row.mul(4)).loadInt();

/** Calls `body` with each run of rows that belong to one sequence. */
function eachSequence(k: KernelBuilder, w: Words, first: Int, end: Int, body: (row: Int, end: Int) => void): void {
  const next = k.variable(first);
  k.range(first, end, 1, (row) => {
    k.when(row.equals(next.value), () => {
      const sequence = at(w.sequences, row);
      next.value = row.add(1);
      k.range(row.add(1), end, 1, (other) => {
        const goesOn = at(w.sequences, other).equals(sequence).and(other.equals(next.value));
        next.value = next.value.add(goesOn);
      });
      body(row, next.value);
    });
  });
}

interface Variant {
  readonly type: "f32" | "f16";
  readonly capped: boolean;
}

/** Rows of one sequence with `heads` heads from `firstHead` on, all of which read key-value head `group`. */
function attendRows(
  k: KernelBuilder,
  w: Words,
  places: Places,
  variant: Variant,
  firstRow: Int,
  endRow: Int,
  group: Int,
  firstHead: Int,
  heads: Int,
): void {
  const startOf = (position: Int): Int => position.add(1).sub(w.window).max(0);
  /** Calls `body` with each query: its row, its record, its place in q and out. */
  const eachQuery = (body: (row: Int, record: Int, column: Int) => void): void => {
    k.range(firstRow, endRow, 1, (row) => {
      k.range(0, heads, 1, (head) => {
        const record = places.queries.add(row.sub(firstRow).mul(heads).add(head).mul(places.queryBytes));
        body(row, record, row.mul(w.heads).add(firstHead).add(head).mul(w.headSize).mul(FLOAT_BYTES));
      });
    });
  };
  /** Calls `body` with each query that sees keys of the step: `from` is the first of them, counted in the step. */
  const eachSeeing = (before: Int, body: (record: Int, from: Int, count: Int) => void): void => {
    eachQuery((row, record) => {
      const position = at(w.positions, row);
      const from = startOf(position).sub(before).max(0);
      const count = position.add(1).sub(before).min(w.keysPerStep).sub(from);
      k.when(k.int(0).less(count), () => body(record, from, count));
    });
  };

  const least = k.variable(startOf(at(w.positions, firstRow)));
  const most = k.variable(at(w.positions, firstRow));
  k.range(firstRow.add(1), endRow, 1, (row) => {
    least.value = least.value.min(startOf(at(w.positions, row)));
    most.value = most.value.max(at(w.positions, row));
  });
  eachQuery((_, record, column) => {
    record.store(k.float(LEAST), Query.most);
    record.store(k.float(0), Query.total);
    copyRow(k, w.q.add(column), record.add(places.q), w.headSize, places.rowBytes, "f32");
    k.range(0, places.rowBytes, k.lanes * FLOAT_BYTES, (i) => record.add(places.sums).add(i).store(k.floats(0)));
  });

  const pages = w.pages.add(at(w.sequences, firstRow).mul(w.pagesPerSequence).mul(4));
  const elementBytes = variant.type === "f16" ? 2 : 4;
  const stride = w.columns.mul(elementBytes);
  k.range(least.value.div(w.keysPerStep), most.value.div(w.keysPerStep).add(1), 1, (step) => {
    const before = step.mul(w.keysPerStep);
    const page = before.div(w.pageSize);
    const slot = at(pages, page)
      .mul(w.pageSize)
      .add(before.sub(page.mul(w.pageSize)));
    const offset = slot.mul(w.columns).add(group.mul(w.headSize)).mul(elementBytes);
    const low = least.value.sub(before).max(0);
    const high = most.value.add(1).sub(before).min(w.keysPerStep);
    const rows = k.scratch.add(STEP_AT);
    const bring = (state: Int): void => {
      k.range(low, high, 1, (j) => {
        const from = state.add(offset).add(j.mul(stride));
        copyRow(k, from, rows.add(j.mul(places.rowBytes)), w.headSize, places.rowBytes, variant.type);
      });
    };
    bring(w.keys);
    eachSeeing(before, (record, from, count) => {
      const keys = rows.add(from.mul(places.rowBytes));
      scoreKeys(k, w, places, variant.capped, record, keys, count);
      weigh(k, places, record, count);
    });
    bring(w.values);
    eachSeeing(before, (record, from, count) => {
      addValues(k, places, record, rows.add(from.mul(places.rowBytes)), count);
    });
  });

  eachQuery((_, record, column) => {
    const share = k.float(1).div(record.loadFloat(Query.total)).splat();
    mapFloats(k, k.int(0), w.headSize, w.out.add(column), (i) =>
      record.add(places.sums).add(i.mul(FLOAT_BYTES)).loadFloats().mul(share),
    );
  });
}

/** A head's row as f32, filled up with zeros. */
function copyRow(k: KernelBuilder, from: Int, to: Int, size: Int, rowBytes: Int, type: "f32" | "f16"): void {
  const load = (i: Int) =>
    type === "f16" ? loadF16(from.add(i.mul(2)), 0) : from.add(i.mul(FLOAT_BYTES)).loadFloats();
  const whole = size.and(-k.lanes);
  k.range(0, whole, k.lanes, (i) => to.add(i.mul(FLOAT_BYTES)).store(load(i)));
  k.when(whole.mul(FLOAT_BYTES).less(rowBytes), () => {
    k.when(whole.less(size), () => {
      const mask = laneNumbers(k).less(size.sub(whole).toFloat().splat());
      to.add(whole.mul(FLOAT_BYTES)).store(mask.selectFloats(load(whole), 0));
    });
    const rest = size.add(k.lanes - 1).and(-k.lanes);
    k.range(rest.mul(FLOAT_BYTES), rowBytes, k.lanes * FLOAT_BYTES, (i) => to.add(i).store(k.floats(0)));
  });
}

/** Stores the scores of `count` keys, four at a time. A key's sum is one chain, however many there are. */
function scoreKeys(k: KernelBuilder, w: Words, p: Places, capped: boolean, record: Int, keys: Int, count: Int): void {
  const scores = record.add(p.scores);
  const q = record.add(p.q);
  const scale = w.scale.asFloat();
  const some = (first: Int, number: number): void => {
    const rows = Array.from({ length: number }, (_, n) => keys.add(first.add(n).mul(p.rowBytes)));
    const sums = rows.map(() => k.variable(k.floats(0)));
    k.range(0, p.rowBytes, TURN * FLOAT_BYTES, (i) => {
      const [query, starts] = [q.add(i), rows.map((row) => row.add(i))];
      for (let at = 0; at < TURN * FLOAT_BYTES; at += k.lanes * FLOAT_BYTES) {
        const x = query.loadFloats(at);
        for (const [n, sum] of sums.entries()) sum.value = x.madd(starts[n].loadFloats(at), sum.value);
      }
    });
    for (const [n, sum] of sums.entries()) {
      scores.add(first.mul(FLOAT_BYTES)).store(sum.value.sum().mul(scale), n * FLOAT_BYTES);
    }
  };
  const whole = count.and(-KEYS);
  k.range(0, whole, KEYS, (j) => some(j, KEYS));
  k.range(whole, count, 1, (j) => some(j, 1));
  if (!capped) return;
  const cap = w.softCap.asFloat().splat();
  mapFloats(k, k.int(0), count, scores, (j) => {
    const score = scores.add(j.mul(FLOAT_BYTES)).loadFloats();
    return tanh(score.div(cap), k).mul(cap);
  });
}

/** Turns the scores of a step into weights against the highest score so far, and says what earlier sums shrink by. */
function weigh(k: KernelBuilder, p: Places, record: Int, count: Int): void {
  const scores = record.add(p.scores);
  const before = record.loadFloat(Query.most);
  const most = k.variable(before);
  k.range(0, count.mul(FLOAT_BYTES), FLOAT_BYTES, (j) => (most.value = most.value.max(scores.add(j).loadFloat())));
  const highest = most.value.splat();
  const added = sumFloats(k, count, (j) => {
    const place = scores.add(j.mul(FLOAT_BYTES));
    const weight = exp(place.loadFloats().sub(highest));
    place.store(weight);
    return weight;
  });
  const shrink = exp(before.splat().sub(highest)).lane(0);
  record.store(record.loadFloat(Query.total).mul(shrink).add(added.lane(0)), Query.total);
  record.store(most.value, Query.most);
  record.store(shrink, Query.shrink);
}

/** sums = sums * shrink + weights · values. */
function addValues(k: KernelBuilder, p: Places, record: Int, values: Int, count: Int): void {
  const weights = record.add(p.scores);
  const shrink = record.splatFloats(Query.shrink);
  k.range(0, p.rowBytes, PAD * FLOAT_BYTES, (i) => {
    const sumsAt = record.add(p.sums).add(i);
    const offsets = Array.from({ length: PAD / k.lanes }, (_, n) => n * k.lanes * FLOAT_BYTES);
    const sums = offsets.map((offset) => k.variable(sumsAt.loadFloats(offset).mul(shrink)));
    k.range(0, count, 1, (j) => {
      const weight = weights.add(j.mul(FLOAT_BYTES)).splatFloats();
      const from = values.add(j.mul(p.rowBytes)).add(i);
      for (const [n, sum] of sums.entries()) sum.value = weight.madd(from.loadFloats(offsets[n]), sum.value);
    });
    for (const [n, sum] of sums.entries()) sumsAt.store(sum.value, offsets[n]);
  });
}

/** By the type of keys and values, and whether scores are capped. */
export const attentionKernels = {
  f32: { plain: attention("f32", false), capped: attention("f32", true) },
  f16: { plain: attention("f16", false), capped: attention("f16", true) },
} as const;
