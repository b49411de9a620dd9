// The slow twin of the packing kernels: stored rows of any format into packed groups, by the layout's table.
import { f16Value } from "../../src/numeric/f16.ts";
import { type Field, GROUP_ROWS, type PackedLayout, packedUnit } from "../../src/device/cpu/packed-layouts.ts";

/**
 * Packs `rows` whole stored rows (at most 16; the rest of the group is as if they were zero bytes) of `blocks` blocks each from `source` into
 * `target`.
 */
export function packGroup(
  layout: PackedLayout,
  source: Uint8Array,
  rows: number,
  blocks: number,
  target: Uint8Array,
): void {
  const rowBytes = blocks * layout.bytes;
  const fields: Field[] = Object.values(layout.fields);
  let out = 0;
  for (let block = 0; block < blocks; block++) {
    for (const field of fields) {
      const unit = packedUnit(field);
      for (let i = 0; i < field.count; i++, out += GROUP_ROWS * unit) {
        const from = block * layout.bytes + field.offset + i * field.unit;
        const flip = field.flip === true ? 0x80 : 0;
        if (field.widen === true) packScales(source, from, rowBytes, rows, target, out);
        else packUnits(source, from, rowBytes, rows, target, out, unit, flip);
        target.fill(flip, out + rows * unit, out + GROUP_ROWS * unit);
        if (field.spread === true) spreadBits(target, out, rows);
      }
    }
  }
}

const float = new Float32Array(1);
const floatBytes = new Uint8Array(float.buffer);

function packScales(source: Uint8Array, from: number, stride: number, rows: number, target: Uint8Array, out: number) {
  for (let row = 0, at = from; row < rows; row++, at += stride) {
    float[0] = f16Value(source[at] | (source[at + 1] << 8));
    target.set(floatBytes, out + 4 * row);
  }
}

function packUnits(
  source: Uint8Array,
  from: number,
  stride: number,
  rows: number,
  target: Uint8Array,
  out: number,
  unit: number,
  flip: number,
): void {
  for (let row = 0, at = from; row < rows; row++, at += stride) {
    for (let i = 0; i < unit; i++) target[out + unit * row + i] = source[at + i] ^ flip;
  }
}

/** Bit 4t + j of each word moves to bit 8j + t: to bit t of byte j. */
function spreadBits(target: Uint8Array, out: number, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const word = target.subarray(out + 4 * row, out + 4 * row + 4);
    const moved = [0, 0, 0, 0];
    for (let bit = 0; bit < 32; bit++) moved[bit & 3] |= ((word[bit >> 3] >> (bit & 7)) & 1) << (bit >> 2);
    word.set(moved);
  }
}
