// The transposer: stored rows of a format into packed groups of 16 rows, by the layout's table. A part is a share of the
// groups. Units are moved one by one, a row at a time, with all offsets constants: two instructions each, and the lines
// that they are stored to stay in the nearest cache; what changes values is done afterwards, a register at a time. Rows
// that a last group lacks are packed as if they were zero bytes.
import { type Int, type Ints, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import {
  type Field,
  GROUP_ROWS,
  type PackedFormat,
  type PackedLayout,
  fieldOffsets,
  groupBlockBytes,
  layouts,
  packedUnit,
} from "../packed-layouts.ts";
import { ceilDiv } from "./loops.ts";

const words = ["source", "target", "rows", "blocks"] as const;

/** Units of a row that are moved without a loop, where a block has fewer: 8 to 64 are as fast, and code grows (bench/pack.ts). */
const UNITS_AT_ONCE = 8;

function pack(name: PackedFormat): Kernel<(typeof words)[number]> {
  const layout: PackedLayout = layouts[name];
  const groupBytes = groupBlockBytes(name);
  const units = Object.values(layout.fields).reduce((sum, { count }) => sum + count, 0);
  const blocksAtOnce = Math.max(1, Math.floor(UNITS_AT_ONCE / units));
  return defineKernel(`pack.${name}`, words, (k, { source, target, rows, blocks }) => {
    const rowBytes = blocks.mul(layout.bytes);
    const whole = blocks.sub(blocks.rem(blocksAtOnce));
    k.share(ceilDiv(rows, GROUP_ROWS), (first, end) => {
      k.range(first, end, 1, (group) => {
        const firstRow = group.mul(GROUP_ROWS);
        const count = rows.sub(firstRow).min(GROUP_ROWS);
        const groupSource = source.add(firstRow.mul(rowBytes));
        const groupTarget = target.add(group.mul(blocks).mul(groupBytes));
        const packBlocks = (block: Int, together: number): void => {
          const from = groupSource.add(block.mul(layout.bytes));
          const to = groupTarget.add(block.mul(groupBytes));
          k.when(count.less(GROUP_ROWS), () => {
            k.range(0, together * groupBytes, 4, (at) => to.add(at).store(k.int(0)));
          });
          k.range(0, count, 1, (row) => moveRow(layout, groupBytes, together, from.add(row.mul(rowBytes)), to, row));
          for (let i = 0; i < together; i++) changeValues(k, layout, to, i * groupBytes);
        };
        k.range(0, whole, blocksAtOnce, (block) => packBlocks(block, blocksAtOnce));
        if (blocksAtOnce > 1) k.range(whole, blocks, 1, (block) => packBlocks(block, 1));
      });
    });
  });
}

/** Moves the units of some blocks of one row to its lane; halves that are widened get a word each. */
function moveRow(layout: PackedLayout, groupBytes: number, blocks: number, from: Int, to: Int, row: Int): void {
  const offsets = fieldOffsets(layout);
  const lanes = { 1: to.add(row), 2: to.add(row.mul(2)), 4: to.add(row.mul(4)) };
  for (let block = 0; block < blocks; block++) {
    for (const [name, field] of Object.entries(layout.fields)) {
      const unit = packedUnit(field);
      for (let i = 0; i < field.count; i++) {
        const at = block * layout.bytes + field.offset + i * field.unit;
        const out = block * groupBytes + offsets[name] + i * GROUP_ROWS * unit;
        const value = loadUnit(from, field.unit, at);
        if (unit === 1) lanes[1].storeByte(value, out);
        else if (unit === 2) lanes[2].storeHalf(value, out);
        else lanes[4].store(value, out);
      }
    }
  }
}

const loadUnit = (from: Int, unit: Field["unit"], at: number): Int =>
  unit === 1 ? from.loadByte(at) : unit === 2 ? from.loadHalf(at) : from.loadInt(at);

/** What a field's words become once they lie side by side, where that is not what they are. */
function changeOf({ widen, flip, spread }: Field): ((words: Ints) => Ints) | undefined {
  if (widen === true) return widened;
  if (flip === true) return (word) => word.xor(0x80808080);
  return spread === true ? spreadBits : undefined;
}

function changeValues(k: KernelBuilder, layout: PackedLayout, to: Int, blockOffset: number): void {
  const offsets = fieldOffsets(layout);
  for (const [name, field] of Object.entries<Field>(layout.fields)) {
    const change = changeOf(field);
    if (change === undefined) continue;
    for (let at = 0; at < GROUP_ROWS * 4 * field.count; at += 4 * k.lanes) {
      const offset = blockOffset + offsets[name] + at;
      to.store(change(to.loadInts(offset)), offset);
    }
  }
}

/** The bits of f16 numbers as those of f32, exact; without arithmetic on subnormal numbers, which is slow. */
function widened(half: Ints): Ints {
  const rest = half.and(0x7fff);
  const exponent = half.shr(10).and(31);
  const rebias = 112 << 23; // 127 - 15
  const large = exponent.equals(31).and(rebias); // infinity and NaN
  const normal = rest.shl(13).add(rebias).add(large);
  const subnormal = rest
    .toFloats()
    .mul(2 ** -24)
    .asInts();
  const sign = half.and(0x8000).shl(16);
  return exponent.equals(0).select(subnormal, normal).or(sign);
}

/**
 * Bit 4t + j of a word moves to bit 8j + t: of the bit's number, (t2 t1 t0 j1 j0) becomes (j1 j0 t2 t1 t0), by swapping
 * two digits of it at a time.
 */
function spreadBits(word: Ints): Ints {
  const swaps = [
    [4, 1],
    [3, 0],
    [2, 1],
    [1, 0],
  ];
  return swaps.reduce((bits, [high, low]) => swapDigits(bits, high, low), word);
}

/** Exchanges the bits whose numbers have 1 at digit `low` and 0 at `high` with those that have 0 and 1. */
function swapDigits(bits: Ints, high: number, low: number): Ints {
  const distance = (1 << high) - (1 << low);
  let mask = 0;
  for (let bit = 0; bit < 32; bit++) if (((bit >> low) & 1) === 1 && ((bit >> high) & 1) === 0) mask |= 1 << bit;
  const different = bits.shr(distance).xor(bits).and(mask);
  return bits.xor(different).xor(different.shl(distance));
}

export const packKernels = Object.fromEntries(
  (Object.keys(layouts) as PackedFormat[]).map((name) => [name, pack(name)]),
) as Record<PackedFormat, Kernel<(typeof words)[number]>>;
