// Where a layer's keys and values lie in its pages, for the kernels that write and read them. Each key-value head has a
// plane of its own for all slots, so that a sequence whose pages lie side by side is one run of bytes. A plane of values
// has a row a slot, (S, D). Keys stand the other way round: B neighbouring slots share a block (D, B), so that one
// register holds one column of several keys, a score is a sum of registers, and no sum runs across lanes. B is 16 where
// pages are cut so; with odd page sizes it is what divides them, and readers bring blocks of 16 keys together first.
// Where a head's values are its keys there is one plane for both, which lies as values do: B is 1.
import { type Floats, type Int, type KernelBuilder, loadF16, toF16Bits } from "../../../lanes/index.ts";
import { F16_MOST } from "../../../numeric/f16.ts";

/** Keys that a reader takes at once: a block. */
export const BLOCK_KEYS = 16;

export type CacheType = "f16" | "f32";
export const cacheBytes: Readonly<Record<CacheType, number>> = { f16: 2, f32: 4 };

export interface CacheShape {
  readonly type: CacheType;
  /** G and D. */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly pageSize: number;
  /** Whether values are the keys: one state, which is written once. */
  readonly valuesAreKeys: boolean;
}

/** B: slots of a block of keys, the largest power of two up to 16 that divides a page. */
export function blockSlots({ pageSize, valuesAreKeys }: CacheShape): number {
  if (valuesAreKeys) return 1;
  let slots = BLOCK_KEYS;
  while (pageSize % slots !== 0) slots /= 2;
  return slots;
}

/** Quotient and remainder by a constant; a shift where it is a power of two. */
export function divide(x: Int, by: number): { quotient: Int; remainder: Int } {
  if (Number.isInteger(Math.log2(by))) return { quotient: x.shr(Math.log2(by)), remainder: x.and(by - 1) };
  const quotient = x.div(by);
  return { quotient, remainder: x.sub(quotient.mul(by)) };
}

/** W cached numbers as f32. */
export function loadCached(type: CacheType, address: Int, offset = 0): Floats {
  return type === "f16" ? loadF16(address, offset) : address.loadFloats(offset);
}

/**
 * Stores W numbers as f16, those beyond its range as the largest that it has; NaN stays NaN. An infinity, times the weight
 * 0 of a key that a row does not see, would be NaN in rows that came before.
 */
export function storeCachedF16(k: KernelBuilder, to: Int, value: Floats): void {
  const finite = value.min(F16_MOST).max(-F16_MOST);
  if (k.machine.f16) to.storeF16(finite);
  else to.storeHalves(toF16Bits(finite, k));
}

/** Bytes of a plane: of one head's keys, or values, in `slots` slots. */
export const planeBytes = ({ type, headSize }: CacheShape, slots: number): number =>
  slots * headSize * cacheBytes[type];

/** Address of column 0 of the key at `slot` of a plane; its next column is B numbers further. */
export function keyAddress(plane: Int, slot: Int, shape: CacheShape): Int {
  const { headSize, type } = shape;
  const slots = blockSlots(shape);
  const { quotient, remainder } = divide(slot, slots);
  return plane.add(
    quotient
      .mul(slots * headSize)
      .add(remainder)
      .mul(cacheBytes[type]),
  );
}

/** Address of the value at `slot` of a plane: D numbers side by side. */
export const valueAddress = (plane: Int, slot: Int, { headSize, type }: CacheShape): Int =>
  plane.add(slot.mul(headSize * cacheBytes[type]));

/** Copies one cached number. */
export function copyCached(type: CacheType, from: Int, to: Int): void {
  if (type === "f16") to.storeHalf(from.loadHalf());
  else to.store(from.loadInt());
}

/** Whether a block's values lie side by side, as its keys do then unless they are values too. */
const isBlockOfPage = ({ pageSize }: CacheShape): boolean => pageSize % BLOCK_KEYS === 0;

/** Scratch bytes that a reader needs: nothing, or two blocks. */
export const readerBytes = (shape: CacheShape): number =>
  blockSlots(shape) === BLOCK_KEYS ? 0 : 2 * BLOCK_KEYS * shape.headSize * cacheBytes[shape.type] + 64;

/** Reads one head of one sequence's cache, 16 keys at a time. */
export class CacheReader {
  /** Bytes from a value to the next key's. */
  readonly valueStride: number;
  /** Bytes from a column of a block of keys to the next. */
  readonly keyStride: number;
  readonly #k: KernelBuilder;
  readonly #shape: CacheShape;
  /** The head's planes. */
  readonly #keys: Int;
  readonly #values: Int;
  readonly #pages: Int;
  readonly #end: Int;
  readonly #scratch: Int;

  /** `pages` is the sequence's table. Keys from `end` on are not read; `scratch` has `readerBytes`. */
  constructor(
    k: KernelBuilder,
    shape: CacheShape & { readonly groups: number },
    { keys, values, plane }: { readonly keys: Int; readonly values: Int; readonly plane: Int },
    { pages, group, end, scratch }: { pages: Int; group: Int; end: Int; scratch: Int },
  ) {
    this.#k = k;
    this.#shape = shape;
    const first = group.div(shape.groups / shape.kvHeads).mul(plane);
    this.#keys = keys.add(first);
    this.#values = values.add(first);
    this.#pages = pages;
    this.#end = end;
    this.#scratch = scratch;
    this.keyStride = BLOCK_KEYS * cacheBytes[shape.type];
    this.valueStride = shape.headSize * cacheBytes[shape.type];
  }

  /** Address of block `block` as (D, 16); what stands there for keys past the end is undefined. */
  keys(block: Int): Int {
    if (blockSlots(this.#shape) === BLOCK_KEYS) return keyAddress(this.#keys, this.#slot(block.shl(4)), this.#shape);
    const { type } = this.#shape;
    this.#eachKey(block, (slot, i) => {
      const from = keyAddress(this.#keys, slot, this.#shape);
      const stride = blockSlots(this.#shape) * cacheBytes[type];
      this.#copy(from, stride, this.#scratch.add(i.mul(cacheBytes[type])), this.keyStride);
    });
    return this.#scratch;
  }

  /** Address of the block's values, one row after another; two blocks, of `place` 0 and 1, can be held at once. */
  values(block: Int, place: 0 | 1 = 0): Int {
    if (isBlockOfPage(this.#shape)) return valueAddress(this.#values, this.#slot(block.shl(4)), this.#shape);
    const bytes = cacheBytes[this.#shape.type];
    const at = this.#scratch.add(place * BLOCK_KEYS * this.valueStride);
    this.#eachKey(block, (slot, i) => {
      this.#copy(valueAddress(this.#values, slot, this.#shape), bytes, at.add(i.mul(this.valueStride)), bytes);
    });
    return at;
  }

  #slot(key: Int): Int {
    const { quotient, remainder } = divide(key, this.#shape.pageSize);
    return this.#pages.add(quotient.shl(2)).loadInt().mul(this.#shape.pageSize).add(remainder);
  }

  /** The keys of a block that are there. */
  #eachKey(block: Int, body: (slot: Int, i: Int) => void): void {
    const first = block.shl(4);
    this.#k.range(0, this.#end.sub(first).min(BLOCK_KEYS), 1, (i) => body(this.#slot(first.add(i)), i));
  }

  /** The D numbers of a key, `fromStride` and `toStride` bytes apart. */
  #copy(from: Int, fromStride: number, to: Int, toStride: number): void {
    const { type, headSize } = this.#shape;
    this.#k.range(0, headSize, 1, (d) => copyCached(type, from.add(d.mul(fromStride)), to.add(d.mul(toStride))));
  }
}
