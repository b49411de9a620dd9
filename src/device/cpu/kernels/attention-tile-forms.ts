// Queries, keys and values as bf16 tiles: queries 16 to a tile as rows, keys and values as the second operand. A tile pairs
// (i, i + 16) of what products sum: columns of a query and a key, keys of a value.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import {
  LANES_AT,
  type PromptShape,
  type PromptUnit,
  type PromptWords,
  type Queries,
  startQueries,
} from "./attention-queries.ts";
import type { AttentionShape } from "./attention-shape.ts";
import { HALF, KEYS, STEP, type TilesPlan } from "./attention-tile-plan.ts";
import type { CacheReader } from "./cache-reader.ts";
import { BLOCK_KEYS, loadCached, plainBytes } from "./key-blocks.ts";
import { TILE_BYTES, TILE_ROW_BYTES } from "./tiles.ts";

/** Queries times the factor of scores as tiles: 16 of them, and of 32 columns the pairs (i, i + 16). */
export function packQueries(
  k: KernelBuilder,
  w: PromptWords,
  shape: PromptShape,
  { steps, at }: TilesPlan,
  unit: PromptUnit,
  queries: Queries,
): void {
  const { headSize } = shape;
  startQueries(k, w, shape, unit, queries, (query, load) => {
    const to = k.scratch
      .add(at.q)
      .add(query.shr(4).mul(steps * TILE_BYTES))
      .add(query.and(HALF - 1).mul(TILE_ROW_BYTES));
    const columns = (first: number): Floats => {
      if (first >= headSize) return k.floats(0);
      if (first + HALF <= headSize) return load(first);
      return k.scratch
        .loadFloats(LANES_AT)
        .less(headSize - first)
        .selectFloats(load(first), 0);
    };
    for (let step = 0; step < steps; step++) {
      to.store(columns(step * STEP).pairBf16(columns(step * STEP + HALF)), step * TILE_BYTES);
    }
  });
}

/** Keys as tiles: 16 of them, and pairs of columns. Keys past the end are undefined. */
export function bringKeys(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { steps, at }: TilesPlan,
  reader: CacheReader,
  before: Int,
  end: Int,
): void {
  const { type } = reader;
  for (let first = 0; first < KEYS; first += BLOCK_KEYS) {
    k.when(before.add(first).less(end), () => {
      const from = reader.keys(before.add(first).shr(4));
      const to = k.scratch.add(at.keys + (first / HALF) * steps * TILE_BYTES);
      const column = (source: Int, index: number, isInside: boolean): Floats =>
        isInside ? loadCached(type, source, index * reader.keyStride) : k.floats(0);
      const whole = Math.floor(headSize / STEP);
      const pairs = (source: Int, target: Int, columns: number): void => {
        for (let i = 0; i < HALF; i++) {
          const pair = column(source, i, i < columns).pairBf16(column(source, i + HALF, i + HALF < columns));
          target.store(pair, i * TILE_ROW_BYTES);
        }
      };
      k.range(0, whole, 1, (step) => {
        pairs(from.add(step.mul(STEP * reader.keyStride)), to.add(step.mul(TILE_BYTES)), STEP);
      });
      if (whole < steps) {
        pairs(from.add(whole * STEP * reader.keyStride), to.add(whole * TILE_BYTES), headSize - whole * STEP);
      }
    });
  }
}

/** Values as tiles: 16 columns, and of 32 keys the pairs (i, i + 16). Keys that no query sees are zeros. */
export function bringValues(
  k: KernelBuilder,
  { headSize }: AttentionShape,
  { steps, at }: TilesPlan,
  reader: CacheReader,
  before: Int,
  { least, end }: PromptUnit,
): void {
  const { type } = reader;
  const lastBlock = end.sub(1).shr(4);
  const tiles = Math.ceil(headSize / HALF);
  for (let first = 0; first < KEYS; first += STEP) {
    const key = before.add(first);
    k.when(key.less(end), () => {
      const low = reader.values(key.shr(4));
      const high = reader.values(key.shr(4).add(1).min(lastBlock), 1);
      const to = k.scratch.add(at.values + (first / STEP) * 2 * steps * TILE_BYTES);
      const pair = (i: Int, load: (address: Int, key: Int) => Floats): void => {
        const offset = i.mul(reader.valueStride);
        for (let tile = 0; tile < tiles; tile++) {
          const column = tile * HALF * plainBytes[type];
          const numbers = load(low.add(offset).add(column), key.add(i));
          const beside = load(high.add(offset).add(column), key.add(i).add(HALF));
          to.add(i.shl(6)).store(numbers.pairBf16(beside), tile * TILE_BYTES);
        }
      };
      k.when(
        key.less(least).or(end.less(key.add(STEP))),
        () => {
          k.range(0, HALF, 1, (i) => {
            pair(i, (address, key) => {
              const isSeen = least.less(key.add(1)).and(key.less(end));
              return k.int(0).sub(isSeen).splat().selectFloats(loadCached(type, address), 0);
            });
          });
        },
        () => k.range(0, HALF, 1, (i) => pair(i, (address) => loadCached(type, address))),
      );
    });
  }
}
