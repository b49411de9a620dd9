// The transposer: stored rows of a format into packed groups of 16 rows, by the layout's table. A part is a share of the
// groups. Rows that a last group lacks are left as they are, which is zero in a new memory.
import { type Float, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
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

const words = ["source", "target", "rows", "blocks"] as const;

function pack(name: PackedFormat): Kernel<(typeof words)[number]> {
  const layout: PackedLayout = layouts[name];
  const offsets = fieldOffsets(layout);
  return defineKernel(`pack.${name}`, words, (k, { source, target, rows, blocks }) => {
    const rowBytes = blocks.mul(layout.bytes);
    k.share(rows.add(GROUP_ROWS - 1).div(GROUP_ROWS), (first, end) => {
      k.range(first, end, 1, (group) => {
        const firstRow = group.mul(GROUP_ROWS);
        const count = rows.sub(firstRow).min(GROUP_ROWS);
        const groupSource = source.add(firstRow.mul(rowBytes));
        const groupTarget = target.add(group.mul(blocks).mul(groupBlockBytes(name)));
        k.range(0, blocks, 1, (block) => {
          const from = groupSource.add(block.mul(layout.bytes));
          const to = groupTarget.add(block.mul(groupBlockBytes(name)));
          for (const [fieldName, field] of Object.entries(layout.fields)) {
            packField(k, field, from.add(field.offset), to.add(offsets[fieldName]), count, rowBytes);
          }
        });
      });
    });
  });
}

function packField(k: KernelBuilder, field: Field, from: Int, to: Int, rows: Int, rowBytes: Int): void {
  const unit = packedUnit(field);
  k.range(0, field.count, 1, (i) => {
    const [source, target] = [from.add(i.mul(field.unit)), to.add(i.mul(unit * GROUP_ROWS))];
    k.range(0, rows, 1, (row) => {
      const [at, out] = [source.add(row.mul(rowBytes)), target.add(row.mul(unit))];
      if (field.widen === true) return out.store(widened(k, at.loadHalf()));
      if (field.unit === 2) return out.storeHalf(at.loadHalf());
      const word = field.flip === true ? at.loadInt().xor(0x80808080) : at.loadInt();
      out.store(field.spread === true ? spreadBits(word) : word);
    });
  });
}

/** An f16 as f32, exact; without arithmetic on subnormal numbers, which is slow. */
function widened(k: KernelBuilder, half: Int): Float {
  const rest = half.and(0x7fff);
  const exponent = half.shr(10).and(31);
  const rebias = 112 << 23; // 127 - 15
  const large = exponent.equals(31).select(rebias, 0); // infinity and NaN
  const normal = rest.shl(13).add(rebias).add(large);
  const subnormal = rest
    .toFloat()
    .mul(k.float(2 ** -24))
    .asInt();
  const sign = half.and(0x8000).shl(16);
  return exponent.equals(0).select(subnormal, normal).or(sign).asFloat();
}

/**
 * Bit 4t + j of a word moves to bit 8j + t: of the bit's number, (t2 t1 t0 j1 j0) becomes (j1 j0 t2 t1 t0), by swapping
 * two digits of it at a time.
 */
function spreadBits(word: Int): Int {
  const swaps = [
    [4, 1],
    [3, 0],
    [2, 1],
    [1, 0],
  ];
  return swaps.reduce((bits, [high, low]) => swapDigits(bits, high, low), word);
}

/** Exchanges the bits whose numbers have 1 at digit `low` and 0 at `high` with those that have 0 and 1. */
function swapDigits(bits: Int, high: number, low: number): Int {
  const distance = (1 << high) - (1 << low);
  let mask = 0;
  for (let bit = 0; bit < 32; bit++) if (((bit >> low) & 1) === 1 && ((bit >> high) & 1) === 0) mask |= 1 << bit;
  const different = bits.shr(distance).xor(bits).and(mask);
  return bits.xor(different).xor(different.shl(distance));
}

export const packKernels = Object.fromEntries(
  (Object.keys(layouts) as PackedFormat[]).map((name) => [name, pack(name)]),
) as Record<PackedFormat, Kernel<(typeof words)[number]>>;
