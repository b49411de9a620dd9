// The slow twin of the packing kernels: stored rows of any format into packed groups, by the layout's table.
import { f16Value } from "../../src/numeric/f16.ts";
import { type Field, GROUP_ROWS, type PackedLayout, packedUnit } from "../../src/device/cpu/packed-layouts.ts";

/**
 * Packs `rows` whole stored rows (at most 16; the rest of the group is as if they were zero bytes) of `blocks` blocks each from `source` into
 * `target`, both in units of 16 bits.
 */
export function packGroup(
  layout: PackedLayout,
  source: Uint16Array,
  rows: number,
  blocks: number,
  target: Uint16Array,
): void {
  const blockUnits = layout.bytes / 2;
  const rowUnits = blocks * blockUnits;
  const fields: Field[] = Object.values(layout.fields);
  let out = 0;
  for (let block = 0; block < blocks; block++) {
    for (const field of fields) {
      const { offset, unit, count, widen = false, flip = false, spread = false } = field;
      let from = block * blockUnits + offset / 2;
      for (let i = 0; i < count; i++, from += unit / 2) {
        if (widen) packScales(source, from, rowUnits, rows, target, out);
        else if (unit === 2) packHalves(source, from, rowUnits, rows, target, out);
        else packWords(source, from, rowUnits, rows, target, out, flip ? 0x8080 : 0);
        if (spread) spreadBits(target, out, rows);
        out += (GROUP_ROWS * packedUnit(field)) / 2;
      }
    }
  }
}

function packHalves(source: Uint16Array, from: number, stride: number, rows: number, target: Uint16Array, out: number) {
  for (let row = 0; row < rows; row++) target[out + row] = source[from + row * stride];
}

const float = new Float32Array(1);
const floatHalves = new Uint16Array(float.buffer);

function packScales(source: Uint16Array, from: number, stride: number, rows: number, target: Uint16Array, out: number) {
  for (let row = 0; row < rows; row++) {
    float[0] = f16Value(source[from + row * stride]);
    target[out + 2 * row] = floatHalves[0];
    target[out + 2 * row + 1] = floatHalves[1];
  }
}

function packWords(
  source: Uint16Array,
  from: number,
  stride: number,
  rows: number,
  target: Uint16Array,
  out: number,
  flip: number,
): void {
  for (let row = 0, at = from; row < rows; row++, at += stride) {
    target[out + 2 * row] = source[at] ^ flip;
    target[out + 2 * row + 1] = source[at + 1] ^ flip;
  }
  target.fill(flip, out + 2 * rows, out + 2 * GROUP_ROWS);
}

/** Bit 4t + j of each word moves to bit 8j + t. */
function spreadBits(target: Uint16Array, out: number, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = out + 2 * row;
    const bits = target[at] | (target[at + 1] << 16);
    let moved = 0;
    for (let t = 0; t < 8; t++) {
      for (let j = 0; j < 4; j++) moved |= ((bits >>> (4 * t + j)) & 1) << (8 * j + t);
    }
    target[at] = moved & 0xffff;
    target[at + 1] = moved >>> 16;
  }
}
