// Packed weights of 16 outputs to bf16 tiles: a register holds one column of 16 outputs, two of them make a tile's row.
// A byte of a quantized weight becomes f32 without a conversion: put where the upper bits of a mantissa are, under the
// exponent of 256, it reads 256 + byte, and one multiplication and addition, the same for a sub-block (its line), gives
// the weight. Lines are computed for a whole block at once; then tiles are made in small pieces, four rows each, so that
// they fit between tile products (linear-tiles.ts).
import type { Floats, Int, Ints, KernelBuilder } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { type Block, QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { floatFormats } from "./packed-blocks.ts";
import { BLOCK_COLUMNS, BLOCK_STEPS, STEP_COLUMNS, TILE_ROWS, TILE_ROW_BYTES } from "./tiles.ts";

export type TileFormat = Exclude<PackedFormat, "f32">;

export const tileFormats = (Object.keys(layouts) as PackedFormat[]).filter(
  (name): name is TileFormat => name !== "f32",
);

/** Packed bytes of a block of 256 columns of 16 outputs. */
export const tileBlockBytes = (name: TileFormat): number =>
  (BLOCK_COLUMNS / layouts[name].columns) * groupBlockBytes(name);

/** Pieces that a tile is made in: each of QUAD rows. */
export const TILE_PIECES = TILE_ROWS / QUAD;

/** Where a byte stands in the mantissa, the bits it covers there, and what the exponent over it is worth. */
const MANTISSA_BIT = 15;
const MANTISSA = 0xff << MANTISSA_BIT;
const WORTH = 256;
const EXPONENT = 0x43800000; // 256 as f32

/** weight = number * scale + offset, for the numbers 256 + byte of a sub-block. */
interface Line {
  readonly scale: Floats;
  readonly offset: Floats;
}

/** Lines of a step: those of its first and last 16 columns; each a scale and an offset of 16 outputs. */
const LINE_BYTES = 2 * TILE_ROW_BYTES;
const STEP_LINE_BYTES = 2 * LINE_BYTES;
export const BLOCK_LINE_BYTES = BLOCK_STEPS * STEP_LINE_BYTES;

const isFloat = (name: TileFormat): name is "f16" | "bf16" => name === "f16" || name === "bf16";

/** Quads of the first column of both halves of step `step`. */
const halvesOf = (step: number): readonly [number, number] => {
  const first = (step * STEP_COLUMNS) / QUAD;
  return [first, first + TILE_PIECES];
};

function lineOf(format: QuantizedFormat, block: Block, quad: number): Line {
  const [sub, shift] = [Math.floor((quad * QUAD) / format.subColumns), block.shift(quad)];
  const whole = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
  const scale = shift === 0 ? whole : whole.mul(2 ** -shift);
  let offset = whole.mul(-(format.zero + WORTH / 2 ** shift));
  if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
  if (block.plus !== undefined) offset = offset.add(block.plus());
  return { scale, offset };
}

/** Stores the lines of `steps` steps of 16 outputs, whose packed block of 256 columns is at `from`. */
export function storeLines(k: KernelBuilder, name: TileFormat, from: Int, steps: Int, to: Int): void {
  if (isFloat(name)) return;
  const format = quantizedFormats[name];
  const storeStep = (block: Block, step: number, to: Int): void => {
    for (const [half, quad] of halvesOf(step).entries()) {
      const { scale, offset } = lineOf(format, block, quad);
      to.store(scale, half * LINE_BYTES);
      to.store(offset, half * LINE_BYTES + TILE_ROW_BYTES);
    }
  };
  if (format.columns === BLOCK_COLUMNS) {
    const block = format.open(k, from, k.int(0)); // always all steps: such formats have no rest
    for (let step = 0; step < BLOCK_STEPS; step++) storeStep(block, step, to.add(step * STEP_LINE_BYTES));
    return;
  }
  k.range(0, steps, 1, (step) => {
    const at = from.add(step.mul(groupBlockBytes(name)));
    storeStep(format.open(k, at, k.int(0)), 0, to.add(step.mul(STEP_LINE_BYTES)));
  });
}

/** Byte `i` of each lane, as the f32 number 256 + byte. */
function numberOf(quad: Ints, i: number): Floats {
  const left = MANTISSA_BIT - 8 * i;
  const moved = left >= 0 ? quad.shl(left) : quad.shr(-left);
  return moved.and(MANTISSA).or(EXPONENT).asFloats();
}

/** A group of 16 outputs: where its packed block of 256 columns is, and the block's lines. */
export interface TileSide {
  readonly from: Int;
  readonly lines: Int;
}

/** Given row `i` of a piece: for each side the column and the one 16 columns later. */
type UseRow = (i: number, sides: readonly (readonly [Floats, Floats])[]) => void;

/** Four rows, from the quads of each side's block by its lines. */
function useQuads(
  sides: readonly { readonly block: Block; readonly lines: Int }[],
  quads: readonly [number, number],
  use: UseRow,
): void {
  const halves = sides.map(({ block, lines }) =>
    quads.map((quad, half) => ({
      quad: block.quad(quad),
      scale: lines.loadFloats(half * LINE_BYTES),
      offset: lines.loadFloats(half * LINE_BYTES + TILE_ROW_BYTES),
    })),
  );
  for (let i = 0; i < QUAD; i++) {
    const values = halves.map((side) => side.map(({ quad, scale, offset }) => numberOf(quad, i).madd(scale, offset)));
    use(i, values as [Floats, Floats][]);
  }
}

/**
 * How pieces share code. `moves`: quads of piece n are those of piece 0, read n units further; `stepsApart`: those of a
 * step are those of the step so many before it, read `bytes` further.
 */
interface Sharing {
  readonly moves: boolean;
  readonly stepsApart?: { readonly steps: number; readonly bytes: number };
}

const UNIT_BYTES = GROUP_ROWS * 4;
const shared: Readonly<Record<QuantizedName, Sharing>> = {
  q4_0: { moves: true },
  q4_1: { moves: true },
  q5_0: { moves: false }, // fifth bits of all pieces are in one unit
  q5_1: { moves: false },
  iq4_nl: { moves: true },
  mxfp4: { moves: true },
  q8_0: { moves: true },
  q4_k: { moves: true, stepsApart: { steps: 2, bytes: 8 * UNIT_BYTES } },
  iq4_xs: { moves: true, stepsApart: { steps: 1, bytes: 4 * UNIT_BYTES } },
  q5_k: { moves: true },
  q6_k: { moves: true },
};

/**
 * Piece `piece` of the tile of 16 outputs that step `step` of their packed block of 256 columns, at `from`, makes; `to`
 * is the tile's address, `lines` that of the block's lines.
 */
export function unpackPiece(
  k: KernelBuilder,
  name: TileFormat,
  from: Int,
  step: Int,
  piece: Int,
  lines: Int,
  to: Int,
): void {
  const rows = to.add(piece.mul(QUAD * TILE_ROW_BYTES));
  unpackRows(k, name, [{ from, lines }], step, piece, (i, [[low, high]]) =>
    rows.store(low.pairBf16(high), i * TILE_ROW_BYTES),
  );
}

/** The same piece of some groups, given row by row. */
export function unpackRows(
  k: KernelBuilder,
  name: TileFormat,
  sides: readonly TileSide[],
  step: Int,
  piece: Int,
  use: UseRow,
): void {
  if (isFloat(name)) return unpackFloats(name, sides, step, piece, use);
  const format = quantizedFormats[name];
  const { moves, stepsApart } = shared[name];
  const given = sides.map(({ from, lines }) => ({
    lines: lines.add(step.mul(STEP_LINE_BYTES)),
    from: moves ? from.add(piece.mul(UNIT_BYTES)) : from,
  }));
  const useStep = (offset: Int | number, step: number): void => {
    const [low, high] = halvesOf(step);
    const blocks = given.map(({ from, lines }) => ({ block: format.open(k, from.add(offset), k.int(0)), lines }));
    if (moves) useQuads(blocks, [low, high], use);
    else choose(k, piece, TILE_PIECES, (n) => useQuads(blocks, [low + n, high + n], use));
  };
  if (format.columns === STEP_COLUMNS) return useStep(step.mul(groupBlockBytes(name)), 0);
  if (stepsApart === undefined) return choose(k, step, BLOCK_STEPS, (n) => useStep(0, n));
  const { steps, bytes } = stepsApart;
  const offset = step.div(steps).mul(bytes);
  choose(k, step.and(steps - 1), steps, (n) => useStep(offset, n));
}

/** Code of its own for each value from `first` on, below `end`. */
function choose(k: KernelBuilder, value: Int, end: number, body: (n: number) => void, first = 0): void {
  if (end - first === 1) return body(first);
  const middle = (first + end) >> 1;
  k.when(
    value.less(middle),
    () => choose(k, value, middle, body, first),
    () => choose(k, value, end, body, middle),
  );
}

function unpackFloats(
  name: "f16" | "bf16",
  sides: readonly Pick<TileSide, "from">[],
  step: Int,
  piece: Int,
  use: UseRow,
): void {
  const { bytes, load } = floatFormats[name];
  const columnBytes = GROUP_ROWS * bytes;
  const offset = step.mul(STEP_COLUMNS * columnBytes).add(piece.mul(QUAD * columnBytes));
  const given = sides.map(({ from }) => from.add(offset));
  for (let i = 0; i < QUAD; i++) {
    use(
      i,
      given.map((at) => [load(at, i * columnBytes), load(at, (TILE_ROWS + i) * columnBytes)]),
    );
  }
}
