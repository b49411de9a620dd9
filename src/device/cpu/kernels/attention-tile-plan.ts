// How prompt attention in tiles is cut, and where its parts lie in scratch.
import type { Machine } from "../../../lanes/index.ts";
import { THREAD_SCRATCH_BYTES, align } from "../layout.ts";
import { QUERIES_SCRATCH, queryBytes } from "./attention-queries.ts";
import type { AttentionShape } from "./attention-shape.ts";
import { readerBytes } from "./cache-reader.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { TILE_BYTES } from "./tiles.ts";

/** Keys of a block. */
export const KEYS = 128;
/** Queries of a strip: two tiles. */
export const STRIP = 32;
/** Columns, or keys, that one tile product sums: pairs (i, i + 16). */
export const STEP = 32;
export const HALF = 16;
/**
 * Queries of a unit, where they fit: what bringing keys and values to tiles is shared by. Up to 2,048 keys 96 take a tenth
 * longer, 384 as long (bench/attention.ts).
 */
const UNIT_QUERIES = 192;
/** Bytes from one query's scores to the next's; not a power of two. */
export const SCORE_STRIDE = (KEYS + 16) * FLOAT_BYTES;

/** How much a unit takes and where it lies in scratch. */
export interface TilesPlan {
  /** Rows of a unit. */
  readonly rows: number;
  /** Tile steps of a head's columns. */
  readonly steps: number;
  /** Bytes of one query's sums. */
  readonly sumStride: number;
  readonly at: Readonly<
    Record<"keys" | "values" | "q" | "sums" | "scores" | "weights" | "records" | "reader" | "end", number>
  >;
}

/** Of as many rows as fit; `rows` is 0 where not even one does. */
export function tilesPlan(machine: Machine, shape: AttentionShape): TilesPlan {
  for (let rows = Math.max(1, Math.floor(UNIT_QUERIES / shape.headsPerGroup)); rows >= 1; rows--) {
    const plan = planOf(machine, shape, rows);
    if (plan.at.end <= THREAD_SCRATCH_BYTES) return plan;
  }
  return planOf(machine, shape, 0);
}

function planOf(machine: Machine, shape: AttentionShape, rows: number): TilesPlan {
  const steps = Math.ceil(shape.headSize / STEP);
  const queries = Math.ceil((rows * shape.headsPerGroup) / STRIP) * STRIP;
  const sumStride = steps * STEP * FLOAT_BYTES + 64; // no power of two: a tile's rows would share places in the cache
  const keys = QUERIES_SCRATCH;
  const values = keys + (KEYS / HALF) * steps * TILE_BYTES;
  const q = values + (KEYS / STEP) * 2 * steps * TILE_BYTES;
  const sums = q + (queries / HALF) * steps * TILE_BYTES;
  const scores = sums + queries * sumStride;
  const weights = align(scores + STRIP * SCORE_STRIDE);
  const records = weights + 2 * (KEYS / STEP) * TILE_BYTES;
  const reader = records + queries * queryBytes(machine);
  const at = { keys, values, q, sums, scores, weights, records, reader, end: reader + readerBytes(shape) };
  return { rows, steps, sumStride, at };
}
