// The step before attention, one for all of it: normalises and rotates queries and keys, puts keys into their blocks of the
// cache (key-blocks.ts), and puts values into it, rounded to the cache's type. A unit is one head of one row, queries first,
// then keys, then values unless they are the keys; a part is a share of the units. Not here: the interleaved layout of pairs (rope.ts).
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { isQuantized } from "../../../graph/index.ts";
import {
  type CacheShape,
  type PlainType,
  blockSlots,
  copyCached,
  keyPlace,
  plainBytes,
  storeCachedF16,
  valueAddress,
} from "./key-blocks.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";
import { rmsFactor } from "./norm.ts";
import * as quantized from "./quantized-rows.ts";

export interface CacheRowsShape extends CacheShape {
  /** Query heads that the step rotates; 0 where queries come as they are. */
  readonly heads: number;
  /** Columns of an angle row, pairs (i, i + half) of a head; 0: nothing is rotated. */
  readonly half: number;
  /** Whether each head is normalised before it is rotated (RMSNorm). */
  readonly queryNorm: boolean;
  readonly keyNorm: boolean;
}

// x with their strides: where a row's queries, keys and values are, and bytes to the next row's
const words = [
  "q",
  "qStride",
  "k",
  "kStride",
  "v",
  "vStride",
  // gains of the norms, and f32 bits of their epsilons
  "qGain",
  "qEpsilon",
  "kGain",
  "kEpsilon",
  "cos",
  "sin",
  "qOut",
  "keys",
  "values",
  // bytes of a head's plane of keys, or values
  "plane",
  "slots",
  "rows",
] as const;
type CacheRowsKernel = Kernel<(typeof words)[number]>;

/** In scratch, after the register of loops.ts: a head, rotated, with a register's room; its rounded numbers; it, normalised. */
const HEAD_AT = 64;
const roundedAt = (headSize: number): number => HEAD_AT + headSize * FLOAT_BYTES + 64;
const normedAt = (headSize: number): number => roundedAt(headSize) + headSize * FLOAT_BYTES + 64;

function cacheRows(name: string, shape: CacheRowsShape): CacheRowsKernel {
  const { heads, kvHeads, headSize, half, valuesAreKeys } = shape;
  const headBytes = headSize * FLOAT_BYTES;
  return defineKernel(name, words, (k, w) => {
    const units = heads + (valuesAreKeys ? 1 : 2) * kvHeads;
    k.share(w.rows.mul(units), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [row, part] = [unit.div(units), unit.rem(units)];
        const normed = (from: Int, gain: Int, epsilon: Int): Int => {
          const to = k.scratch.add(normedAt(headSize));
          const at = (base: Int, i: Int): Floats => base.add(i.shl(2)).loadFloats();
          const factor = rmsFactor(k, from, k.int(headSize), epsilon);
          mapFloats(k, k.int(0), k.int(headSize), to, (i) => at(from, i).mul(factor).mul(at(gain, i)));
          return to;
        };
        const rotated = (from: Int): Int => {
          if (half === 0) return from;
          const angles = row.mul(half * FLOAT_BYTES);
          const head = k.scratch.add(HEAD_AT);
          rotate(k, shape, from, w.cos.add(angles), w.sin.add(angles), head);
          return head;
        };
        const slot = w.slots.add(row.shl(2)).loadInt();
        const storeQuery = (): void => {
          const head = w.q.add(row.mul(w.qStride)).add(part.mul(headBytes));
          const from = rotated(shape.queryNorm ? normed(head, w.qGain, w.qEpsilon) : head);
          const to = w.qOut.add(row.mul(heads).add(part).mul(headBytes));
          mapFloats(k, k.int(0), k.int(headSize), to, (i) => from.add(i.shl(2)).loadFloats());
        };
        const keepKey = (): void => {
          const group = part.sub(heads);
          const head = w.k.add(row.mul(w.kStride)).add(group.mul(headBytes));
          const from = rotated(shape.keyNorm ? normed(head, w.kGain, w.kEpsilon) : head);
          storeKey(k, shape, from, w.keys.add(group.mul(w.plane)), slot);
        };
        const keepValue = (): void => {
          const group = part.sub(heads + kvHeads);
          const from = w.v.add(row.mul(w.vStride)).add(group.mul(headBytes));
          storeValue(k, shape, from, w.values.add(group.mul(w.plane)), slot);
        };
        const storeCached = (): void => {
          if (valuesAreKeys) keepKey();
          else k.when(part.less(heads + kvHeads), keepKey, keepValue);
        };
        if (heads === 0) storeCached();
        else k.when(part.less(heads), storeQuery, storeCached);
      });
    });
  });
}

/** A head with its first 2 · half columns turned, to `to`, which has room for a register more. */
function rotate(k: KernelBuilder, { headSize, half }: CacheRowsShape, from: Int, cos: Int, sin: Int, to: Int): void {
  const halfBytes = half * FLOAT_BYTES;
  const pair = (i: Int): Floats[] =>
    [from.add(i), from.add(i).add(halfBytes), cos.add(i), sin.add(i)].map((at) => at.loadFloats());
  const step = k.lanes * FLOAT_BYTES;
  // what a register writes too far is written over by what follows
  k.range(0, halfBytes, step, (i) => {
    const [a, b, c, s] = pair(i);
    to.add(i).store(a.mul(c).sub(b.mul(s)));
  });
  k.range(0, halfBytes, step, (i) => {
    const [a, b, c, s] = pair(i);
    to.add(i).store(b.mul(c).add(a.mul(s)), halfBytes);
  });
  k.range(2 * halfBytes, headSize * FLOAT_BYTES, step, (i) => to.add(i).store(from.add(i).loadFloats()));
}

/** Stores a head's key at its slot. */
function storeKey(k: KernelBuilder, shape: CacheRowsShape, from: Int, plane: Int, slot: Int): void {
  const { type, headSize } = shape;
  const slots = blockSlots(shape);
  if (slots === 1) return storeValue(k, shape, from, plane, slot);
  const { block, key } = keyPlace(plane, slot, shape);
  if (isQuantized(type)) {
    quantized.storeKey(
      k,
      type,
      headSize,
      quantized.quantizeHead(k, type, headSize, from, roundedPlace(k, shape)),
      block,
      key,
    );
    return;
  }
  const bytes = plainBytes[type];
  const to = block.add(key.mul(bytes));
  const numbers = rounded(k, shape, type, from);
  k.range(0, headSize, 1, (d) => copyCached(type, numbers.add(d.mul(bytes)), to.add(d.mul(slots * bytes))));
}

/** Stores a head's value, or a key that lies as values do, at its slot. */
function storeValue(k: KernelBuilder, shape: CacheRowsShape, from: Int, plane: Int, slot: Int): void {
  const { type, headSize } = shape;
  const to = valueAddress(plane, slot, shape);
  if (isQuantized(type)) {
    quantized.storeRow(k, type, headSize, quantized.quantizeHead(k, type, headSize, from, roundedPlace(k, shape)), to);
    return;
  }
  if (type === "f32") return mapFloats(k, k.int(0), k.int(headSize), to, (i) => from.add(i.shl(2)).loadFloats());
  const whole = headSize - (headSize % k.lanes);
  k.range(0, whole, k.lanes, (i) => storeCachedF16(k, to.add(i.shl(1)), from.add(i.shl(2)).loadFloats()));
  if (whole === headSize) return;
  storeCachedF16(k, k.scratch, from.loadFloats(whole * FLOAT_BYTES));
  for (let i = whole; i < headSize; i++) to.storeHalf(k.scratch.loadHalf((i - whole) * 2), i * 2);
}

const roundedPlace = (k: KernelBuilder, { headSize }: CacheRowsShape): Int => k.scratch.add(roundedAt(headSize));

/** The numbers of a head in the cache's type, side by side, in scratch unless they are f32. */
function rounded(k: KernelBuilder, shape: CacheRowsShape, type: PlainType, from: Int): Int {
  if (type === "f32") return from;
  const to = roundedPlace(k, shape);
  k.range(0, shape.headSize, k.lanes, (i) => storeCachedF16(k, to.add(i.shl(1)), from.add(i.shl(2)).loadFloats()));
  return to;
}

const known = new Map<string, CacheRowsKernel>();

/** The kernel of a shape; the same one for the same shape. */
export function cacheRowsKernel(shape: CacheRowsShape): CacheRowsKernel {
  const { type, heads, kvHeads, headSize, pageSize, half, queryNorm, keyNorm, valuesAreKeys } = shape;
  const options = `${queryNorm ? ".qNorm" : ""}${keyNorm ? ".kNorm" : ""}${valuesAreKeys ? ".one" : ""}`;
  const name = `cacheRows.${type}.h${heads}.g${kvHeads}.d${headSize}.p${pageSize}.r${half}${options}`;
  const kernel = known.get(name) ?? cacheRows(name, shape);
  known.set(name, kernel);
  return kernel;
}
