// Packed weights of 16 outputs to bf16 tiles: a register holds one column of 16 outputs, two of them make a tile's row.
// A byte of a quantized weight becomes f32 without a conversion: put where the upper bits of a mantissa are, under the
// exponent of 256, it reads 256 + byte, and one multiplication and addition gives the weight.
import type { Floats, Int, Ints, KernelBuilder } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { type Block, QUAD, type QuantizedFormat, quantizedFormats } from "./blocks.ts";
import { floatFormats } from "./linear-float.ts";
import { BLOCK_COLUMNS, STEP_BYTES, STEP_COLUMNS, TILE_ROWS, TILE_ROW_BYTES } from "./tiles.ts";

export type TileFormat = Exclude<PackedFormat, "f32">;

/** Where a byte stands in the mantissa, the bits it covers there, and what the exponent over it is worth. */
const MANTISSA_BIT = 15;
const MANTISSA = 0xff << MANTISSA_BIT;
const WORTH = 256;
const EXPONENT = 0x43800000; // 256 as f32

/** weight = number * scale + offset, for the numbers 256 + byte of one sub-block. */
interface Line {
  readonly scale: Floats;
  readonly offset: Floats;
}

function lineOf(format: QuantizedFormat, block: Block, sub: number, shift: number): Line {
  const whole = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
  const scale = shift === 0 ? whole : whole.mul(2 ** -shift);
  let offset = whole.mul(-(format.zero + WORTH / 2 ** shift));
  if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
  if (block.plus !== undefined) offset = offset.add(block.plus());
  return { scale, offset };
}

/** Byte `i` of each lane, as the f32 number 256 + byte. */
function numberOf(quad: Ints, i: number): Floats {
  const left = MANTISSA_BIT - 8 * i;
  const moved = left >= 0 ? quad.shl(left) : quad.shr(-left);
  return moved.and(MANTISSA).or(EXPONENT).asFloats();
}

/** Step `step` of an open block of a quantized format to the tile at `to`. */
function quantizedStep(format: QuantizedFormat, block: Block, step: number, to: Int): void {
  const quads = TILE_ROWS / QUAD;
  const lines = new Map<string, Line>();
  const line = (t: number): Line => {
    const [sub, shift] = [Math.floor((t * QUAD) / format.subColumns), block.shift(t)];
    const known = lines.get(`${sub} ${shift}`) ?? lineOf(format, block, sub, shift);
    lines.set(`${sub} ${shift}`, known);
    return known;
  };
  const first = (step * STEP_COLUMNS) / QUAD;
  for (let q = 0; q < quads; q++) {
    const halves = [first + q, first + quads + q].map((t) => ({ ...line(t), quad: block.quad(t) }));
    for (let i = 0; i < QUAD; i++) {
      const [low, high] = halves.map(({ quad, scale, offset }) => numberOf(quad, i).madd(scale, offset));
      to.store(low.pairBf16(high), (q * QUAD + i) * TILE_ROW_BYTES);
    }
  }
}

/** `steps` steps of 16 outputs, from the packed blocks at `from`, to tiles at `to`, `to` + two tiles, ... */
export function unpackTiles(k: KernelBuilder, name: TileFormat, from: Int, steps: Int, to: Int): void {
  if (name === "f16" || name === "bf16") return unpackFloats(k, name, from, steps, to);
  const format = quantizedFormats[name];
  if (format.columns === BLOCK_COLUMNS) {
    const block = format.open(k, from); // all eight steps: such formats have no rest
    for (let step = 0; step < BLOCK_COLUMNS / STEP_COLUMNS; step++) {
      quantizedStep(format, block, step, to.add(step * STEP_BYTES));
    }
    return;
  }
  k.range(0, steps, 1, (step) => {
    const block = format.open(k, from.add(step.mul(groupBlockBytes(name))));
    quantizedStep(format, block, 0, to.add(step.mul(STEP_BYTES)));
  });
}

function unpackFloats(k: KernelBuilder, name: "f16" | "bf16", from: Int, steps: Int, to: Int): void {
  const { bytes, load } = floatFormats[name];
  k.range(0, steps, 1, (step) => {
    const at = from.add(step.mul(STEP_COLUMNS * GROUP_ROWS * bytes));
    const tile = to.add(step.mul(STEP_BYTES));
    for (let i = 0; i < TILE_ROWS; i++) {
      const [low, high] = [i, TILE_ROWS + i].map((column) => load(at, column * GROUP_ROWS * bytes));
      tile.store(low.pairBf16(high), i * TILE_ROW_BYTES);
    }
  });
}

/** Packed bytes of a block of 256 columns of 16 outputs. */
export const tileBlockBytes = (name: TileFormat): number =>
  (BLOCK_COLUMNS / layouts[name].columns) * groupBlockBytes(name);

export const tileFormats = (Object.keys(layouts) as PackedFormat[]).filter(
  (name): name is TileFormat => name !== "f32",
);
