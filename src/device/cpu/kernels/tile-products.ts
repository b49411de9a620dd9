// Products in tile registers: two tiles of rows by two of weights, whose four sums stay in registers over many steps. Not here:
// how operands come to lie so (tiles.ts, tile-weights.ts, gemm-pack-tiles.ts).
import type { Int, KernelBuilder } from "../../../lanes/index.ts";
import { TILE_BYTES, TILE_ROW_BYTES } from "./tiles.ts";

/** Tile registers: sums of rows 0..15 and 16..31 by the left and the right 16 outputs; both operands. */
const [ROWS_LOW, ROWS_HIGH, LEFT, RIGHT] = [4, 5, 6, 7];
const SUM_TILES = [0, 1, 2, 3];

/** Brings 16 rows to a tile: `tiles.load`, or `tiles.loadOnce` where they are not to take the place of weights. */
export type TileLoad = KernelBuilder["tiles"]["load"];

/** Adds the products of a step of rows and of weights to the four sums, tiles 0 to 3. `load`: how rows are loaded. */
export function multiplyStep(k: KernelBuilder, rows: Int, weights: Int, load: TileLoad = k.tiles.load): void {
  const { tiles } = k;
  tiles.load(LEFT, weights, TILE_ROW_BYTES);
  load(ROWS_LOW, rows, TILE_ROW_BYTES);
  tiles.dotBf16(0, ROWS_LOW, LEFT);
  tiles.load(RIGHT, weights.add(TILE_BYTES), TILE_ROW_BYTES);
  tiles.dotBf16(1, ROWS_LOW, RIGHT);
  load(ROWS_HIGH, rows.add(TILE_BYTES), TILE_ROW_BYTES);
  tiles.dotBf16(2, ROWS_HIGH, LEFT);
  tiles.dotBf16(3, ROWS_HIGH, RIGHT);
}

/** Runs `products` with the sums of a block in their tiles: zero before the first block, else as `sums` holds them. */
export function sumInTiles(
  k: KernelBuilder,
  sums: Int,
  isLater: Int,
  products: () => void,
  load: TileLoad = k.tiles.load,
): void {
  const { tiles } = k;
  const sumAt = (tile: number): Int => sums.add(tile * TILE_BYTES);
  k.when(
    isLater,
    () => SUM_TILES.forEach((tile) => load(tile, sumAt(tile), TILE_ROW_BYTES)),
    () => SUM_TILES.forEach((tile) => tiles.zero(tile)),
  );
  products();
  SUM_TILES.forEach((tile) => tiles.store(tile, sumAt(tile), TILE_ROW_BYTES));
}
