// A unit of prompt attention in f32: keys and values of a block as f32 panels in scratch, both products as blocks of sums
// in registers (rows x registers of columns), the running softmax in between.
import { type Floats, type Int, type KernelBuilder, type Machine, type Variable } from "../../../lanes/index.ts";
import { SCRATCH_BYTES, align } from "../layout.ts";
import {
  type PromptShape,
  type PromptUnit,
  type PromptWords,
  QUERIES_SCRATCH,
  Query,
  finishQueries,
  headOf,
  queryBytes,
  startQueries,
  weighQuery,
} from "./attention-queries.ts";
import { type AttentionShape, unrolled } from "./attention-shape.ts";
import { type CacheReader, cacheReader, readerBytes } from "./cache-reader.ts";
import { BLOCK_KEYS, loadCached, plainBytes } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Keys of a block. */
const KEYS = 64;
/**
 * Queries of a unit, where they fit: a block of keys is brought near once for so many. Up to 2,048 keys 48 take 3 % longer,
 * 192 as long (bench/attention.ts).
 */
const UNIT_QUERIES = 96;
/** Queries that a product takes at once; with 4 registers of columns (of 32, 2 of 16) the sums fill three quarters. */
const QUERIES = 6;
const PANEL_REGISTERS = { 16: 2, 32: 4 } as const;
/** Bytes from one query's scores to the next's; not a power of two, so that they do not share places in the first cache. */
const SCORE_STRIDE = (KEYS + 16) * FLOAT_BYTES;

/** How much a unit takes and where it lies in scratch. */
export interface FloatsPlan {
  /** Rows of a unit. */
  readonly rows: number;
  /** Columns of a panel, and how many panels the columns of a value make. */
  readonly panelColumns: number;
  readonly valuePanels: number;
  /** Bytes of one query's sums. */
  readonly sumStride: number;
  readonly at: Readonly<Record<"panels" | "q" | "sums" | "scores" | "records" | "reader" | "end", number>>;
}

/** Of as many rows as fit; `rows` is 0 where not even one does. */
export function floatsPlan(machine: Machine, shape: AttentionShape): FloatsPlan {
  for (let rows = Math.max(1, Math.floor(UNIT_QUERIES / shape.headsPerGroup)); rows >= 1; rows--) {
    const plan = planOf(machine, shape, rows);
    if (plan.at.end <= SCRATCH_BYTES) return plan;
  }
  return planOf(machine, shape, 0);
}

function planOf(machine: Machine, shape: AttentionShape, rows: number): FloatsPlan {
  const { headSize, headsPerGroup } = shape;
  const panelColumns = PANEL_REGISTERS[machine.registers] * machine.lanes;
  const valuePanels = Math.ceil(headSize / panelColumns);
  const sumStride = valuePanels * panelColumns * FLOAT_BYTES;
  const queries = Math.ceil((rows * headsPerGroup) / QUERIES) * QUERIES;
  const panels = QUERIES_SCRATCH;
  const q = panels + KEYS * Math.max(headSize * FLOAT_BYTES, sumStride);
  const sums = align(q + (queries * headSize + machine.lanes) * FLOAT_BYTES);
  const scores = sums + queries * sumStride;
  const records = scores + queries * SCORE_STRIDE;
  const reader = records + queries * queryBytes(machine);
  const at = { panels, q, sums, scores, records, reader, end: reader + readerBytes(shape) };
  return { rows, panelColumns, valuePanels, sumStride, at };
}

export function attendFloats(
  k: KernelBuilder,
  w: PromptWords,
  shape: PromptShape,
  plan: FloatsPlan,
  unit: PromptUnit,
): void {
  const place = (name: keyof FloatsPlan["at"]): Int => k.scratch.add(plan.at[name]);
  const reader = cacheReader(k, shape, w, { ...unit, scratch: place("reader") });
  const count = unit.endRow.sub(unit.firstRow).mul(shape.headsPerGroup);
  const queries = { count, records: place("records") };
  const [panels, sums] = [place("panels"), place("sums")];
  const matrices = { count, q: place("q"), scores: place("scores"), sums, records: queries.records };
  startQueries(k, w, shape, unit, queries, (query, load) => {
    const to = matrices.q.add(query.mul(shape.headSize * FLOAT_BYTES));
    for (let column = 0; column < shape.headSize; column += k.lanes) to.store(load(column), column * FLOAT_BYTES);
  });
  k.range(0, count.mul(plan.sumStride), k.lanes * FLOAT_BYTES, (i) => sums.add(i).store(k.floats(0)));

  k.range(unit.least.and(-KEYS), unit.end, KEYS, (before) => {
    bringKeys(k, shape, plan, reader, before, unit.end, panels);
    scoreQueries(k, shape, plan, matrices, panels);
    k.range(0, count, 1, (query) => {
      const record = queries.records.add(query.mul(queryBytes(k)));
      const scores = matrices.scores.add(query.mul(SCORE_STRIDE));
      weighQuery(k, w, shape, record, headOf(shape, unit, query), scores, before, KEYS);
    });
    bringValues(k, shape, plan, reader, before, unit.end, panels);
    const [from, end] = [unit.least.sub(before).max(0), unit.end.sub(before).min(KEYS)];
    addValues(k, shape, plan, matrices, panels, from, end);
  });

  finishQueries(k, w, shape, unit, queries, (query, column) =>
    sums.add(query.mul(plan.sumStride)).add(column.shl(2)).loadFloats(),
  );
}

/** A row for each query, in scratch: the query, its scores of a block, its weighted values; and its record. */
interface Matrices {
  readonly count: Int;
  readonly q: Int;
  readonly scores: Int;
  readonly sums: Int;
  readonly records: Int;
}

/** Calls `body` with each block of 16 keys of [before, before + KEYS) that has keys before `end`. */
function eachBlock(k: KernelBuilder, before: Int, end: Int, body: (block: Int, first: number) => void): void {
  for (let first = 0; first < KEYS; first += BLOCK_KEYS) {
    k.when(before.add(first).less(end), () => body(before.add(first).shr(4), first));
  }
}

/** Keys as f32 panels (D, panel of keys). */
function bringKeys(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { panelColumns }: FloatsPlan,
  reader: CacheReader,
  before: Int,
  end: Int,
  panels: Int,
): void {
  const { type } = reader;
  const columns = unrolled(headSize, 4);
  const rowBytes = panelColumns * FLOAT_BYTES;
  eachBlock(k, before, end, (block, first) => {
    const from = reader.keys(block);
    k.range(0, headSize, columns, (column) => {
      const [source, target] = [from.add(column.mul(reader.keyStride)), panels.add(column.mul(rowBytes))];
      for (let d = 0; d < columns; d++) {
        for (let i = 0; i < BLOCK_KEYS; i += k.lanes) {
          const key = first + i;
          const panel = Math.floor(key / panelColumns) * headSize * rowBytes;
          const value = loadCached(type, source, d * reader.keyStride + i * plainBytes[type]);
          target.store(value, panel + d * rowBytes + (key % panelColumns) * FLOAT_BYTES);
        }
      }
    });
  });
}

/** Values as f32 panels (KEYS, panel of columns). */
function bringValues(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { panelColumns }: FloatsPlan,
  reader: CacheReader,
  before: Int,
  end: Int,
  panels: Int,
): void {
  const { type } = reader;
  const rowBytes = panelColumns * FLOAT_BYTES;
  eachBlock(k, before, end, (block, first) => {
    const from = reader.values(block);
    k.range(0, end.sub(block.shl(4)).min(BLOCK_KEYS), 1, (i) => {
      const [source, target] = [from.add(i.mul(reader.valueStride)), panels.add(i.mul(rowBytes))];
      for (let column = 0; column < headSize; column += k.lanes) {
        const panel = Math.floor(column / panelColumns) * KEYS * rowBytes;
        const value = loadCached(type, source, column * plainBytes[type]);
        target.store(value, panel + first * rowBytes + (column % panelColumns) * FLOAT_BYTES);
      }
    });
  });
}

/** scores = q · keys, for all keys of the panels. */
function scoreQueries(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { panelColumns }: FloatsPlan,
  { count, q, scores }: Matrices,
  panels: Int,
): void {
  const registers = panelColumns / k.lanes;
  const panelBytes = headSize * panelColumns * FLOAT_BYTES;
  const turns = unrolled(headSize, 4);
  k.range(0, KEYS / panelColumns, 1, (panel) => {
    const keys = panels.add(panel.mul(panelBytes));
    k.range(0, count, QUERIES, (query) => {
      const sums = Array.from({ length: QUERIES }, () => k.variables(registers, k.floats(0)));
      const rows = { at: q.add(query.mul(headSize * FLOAT_BYTES)), stride: headSize * FLOAT_BYTES };
      multiply(k, sums, rows, keys, panelColumns, k.int(0), k.int(headSize), turns);
      const to = scores.add(query.mul(SCORE_STRIDE)).add(panel.mul(panelColumns * FLOAT_BYTES));
      storeSums(k, sums, to, SCORE_STRIDE);
    });
  });
}

/** sums = sums * shrink + weights · values over the keys [from, end) of the block. */
function addValues(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { panelColumns, sumStride }: FloatsPlan,
  { count, scores, sums: target, records }: Matrices,
  panels: Int,
  from: Int,
  end: Int,
): void {
  const panelBytes = KEYS * panelColumns * FLOAT_BYTES;
  for (const [panel, { count: registers }] of panelSlices(k, headSize, panelColumns).entries()) {
    const values = panels.add(panel * panelBytes);
    k.range(0, count, QUERIES, (query) => {
      const to = target.add(query.mul(sumStride)).add(panel * panelColumns * FLOAT_BYTES);
      const record = records.add(query.mul(queryBytes(k)));
      const sums = Array.from({ length: QUERIES }, (_, n) => {
        const shrink = record.splatFloats(n * queryBytes(k) + Query.shrink);
        return Array.from({ length: registers }, (_, r) =>
          k.variable(to.loadFloats(n * sumStride + r * k.lanes * FLOAT_BYTES).mul(shrink)),
        );
      });
      const rows = { at: scores.add(query.mul(SCORE_STRIDE)), stride: SCORE_STRIDE };
      multiply(k, sums, rows, values, panelColumns, from, end, 1);
      storeSums(k, sums, to, sumStride);
    });
  }
}

/** The registers that each panel of a value's columns has. */
const panelSlices = (k: KernelBuilder, headSize: number, panelColumns: number) => {
  const [registers, most] = [Math.ceil(headSize / k.lanes), panelColumns / k.lanes];
  return Array.from({ length: Math.ceil(registers / most) }, (_, i) => ({
    count: Math.min(most, registers - i * most),
  }));
};

/** sums[n][r] += rows[n][i] * panel[i][r] for i from `from` to `end`, which is a multiple of `turns` away. */
function multiply(
  k: KernelBuilder,
  sums: readonly (readonly Variable<Floats>[])[],
  rows: { readonly at: Int; readonly stride: number },
  panel: Int,
  panelColumns: number,
  from: Int,
  end: Int,
  turns: number,
): void {
  k.range(from, end, turns, (i) => {
    const [row, columns] = [rows.at.add(i.shl(2)), panel.add(i.mul(panelColumns * FLOAT_BYTES))];
    for (let turn = 0; turn < turns; turn++) {
      const b = sums[0].map((_, r) => columns.loadFloats((turn * panelColumns + r * k.lanes) * FLOAT_BYTES));
      for (const [n, list] of sums.entries()) {
        const a = row.splatFloats(n * rows.stride + turn * FLOAT_BYTES);
        for (const [r, sum] of list.entries()) sum.value = a.madd(b[r], sum.value);
      }
    }
  });
}

function storeSums(k: KernelBuilder, sums: readonly (readonly Variable<Floats>[])[], to: Int, stride: number): void {
  for (const [n, list] of sums.entries()) {
    for (const [r, sum] of list.entries()) to.store(sum.value, n * stride + r * k.lanes * FLOAT_BYTES);
  }
}
