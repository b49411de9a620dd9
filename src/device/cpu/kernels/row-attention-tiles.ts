// What attention of rows over each other is made of where it is computed in tile registers: operands rounded to bf16 in the
// forms of gemm-pack-tiles.ts, in which a head's columns are whole steps; scores and sums in f32. A block of 64 queries and
// one of 64 keys are two panels each. Forward: row-attention-tiles-forward.ts, and back: row-attention-tiles-gradient.ts.
import type { Float, Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import { multiplyStep } from "./tile-products.ts";
import { BLOCK, type RowAttentionShape, bend } from "./row-attention.ts";
import { PANEL_ROWS, TILE_BYTES, TILE_ROW_BYTES } from "./tiles.ts";

/** The panels of a block, and both sides of a panel's outputs. */
export const PANELS = Array.from({ length: BLOCK / PANEL_ROWS }, (_, n) => n);
export const SIDES = [0, 1] as const;

const SUM_TILES = [0, 1, 2, 3];

/** The sums of a panel of rows and one of outputs, of those steps; added to what is there, or not. */
export function sumProducts(
  k: KernelBuilder,
  sums: Int,
  steps: readonly { readonly rows: Int; readonly outputs: Int }[],
  adds: boolean,
): void {
  const { tiles } = k;
  for (const tile of SUM_TILES) {
    if (adds) tiles.load(tile, sums.add(tile * TILE_BYTES), TILE_ROW_BYTES);
    else tiles.zero(tile);
  }
  for (const { rows, outputs } of steps) multiplyStep(k, rows, outputs);
  for (const tile of SUM_TILES) tiles.store(tile, sums.add(tile * TILE_BYTES), TILE_ROW_BYTES);
}

/** Hands out bytes of scratch, behind the line that lane numbers use. */
export function scratchBytes(k: KernelBuilder): (bytes: number) => Int {
  let end = 64;
  return (bytes) => {
    end += bytes;
    return k.scratch.add(end - bytes);
  };
}

/** Scores of products of queries and keys, of which 2^score is the weight: times `scale`, bent by the cap. */
export function scoreOf(
  k: KernelBuilder,
  { capped }: RowAttentionShape,
  scale: Float,
  cap: Float,
): (x: Floats) => Floats {
  if (!capped) {
    const factor = scale.mul(k.float(Math.LOG2E)).splat();
    return (x) => x.mul(factor);
  }
  const factor = scale.splat();
  return (x) => bend(k, x.mul(factor), cap).mul(Math.LOG2E);
}
