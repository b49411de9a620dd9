// Where a layer's keys and values lie in its pages, for the kernels that write and read them. Values are rows as the
// graph has them, (S, G*D). Keys stand the other way round: B neighbouring slots share a block (G*D, B), so that one
// register holds one column of several keys, a score is a sum of registers, and no sum runs across lanes. B is 16 where
// pages are cut so; with odd page sizes it is what divides them, and readers bring blocks of 16 keys together first.
import { type Floats, type Int, type KernelBuilder, loadF16 } from "../../../lanes/index.ts";

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
}

/** B: slots of a block of keys, the largest power of two up to 16 that divides a page. */
export function blockSlots({ pageSize }: CacheShape): number {
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

/** Address of column 0 of head `group`'s key at `slot`; its next column is B numbers further. */
export function keyAddress(keys: Int, slot: Int, group: Int, shape: CacheShape): Int {
  const { kvHeads, headSize, type } = shape;
  const slots = blockSlots(shape);
  const { quotient, remainder } = divide(slot, slots);
  const column = quotient.mul(kvHeads).add(group).mul(headSize);
  return keys.add(column.mul(slots).add(remainder).mul(cacheBytes[type]));
}

/** Address of head `group`'s value at `slot`: D numbers side by side. */
export function valueAddress(values: Int, slot: Int, group: Int, { kvHeads, headSize, type }: CacheShape): Int {
  return values.add(slot.mul(kvHeads).add(group).mul(headSize).mul(cacheBytes[type]));
}

/** Copies one cached number. */
export function copyCached(type: CacheType, from: Int, to: Int): void {
  if (type === "f16") to.storeHalf(from.loadHalf());
  else to.store(from.loadInt());
}

/** Scratch bytes that a reader needs: nothing, or a block of keys twice and of values once. */
export function readerBytes(shape: CacheShape): number {
  const block = BLOCK_KEYS * shape.headSize * cacheBytes[shape.type];
  return blockSlots(shape) === BLOCK_KEYS ? 0 : 3 * block + 64;
}

/** Reads one head of one sequence's cache, 16 keys at a time. */
export class CacheReader {
  /** Bytes from a value to the next key's, in what `values` gives. */
  readonly valueStride: number;
  /** Bytes from a column to the next, in what `keys` gives. */
  readonly keyStride: number;
  readonly #k: KernelBuilder;
  readonly #shape: CacheShape;
  readonly #words: { readonly keys: Int; readonly values: Int };
  /** The sequence's page table. */
  readonly #pages: Int;
  readonly #group: Int;
  readonly #end: Int;
  readonly #scratch: Int;

  /** Keys from `end` on are not read; `scratch` has `readerBytes`. */
  constructor(
    k: KernelBuilder,
    shape: CacheShape,
    words: { readonly keys: Int; readonly values: Int },
    { pages, group, end, scratch }: { pages: Int; group: Int; end: Int; scratch: Int },
  ) {
    this.#k = k;
    this.#shape = shape;
    this.#words = words;
    this.#pages = pages;
    this.#group = group;
    this.#end = end;
    this.#scratch = scratch;
    const bytes = cacheBytes[shape.type];
    this.keyStride = BLOCK_KEYS * bytes;
    this.valueStride = (this.#isWhole ? shape.kvHeads : 1) * shape.headSize * bytes;
  }

  /**
   * Address of block `block` as (D, 16); what stands there for keys past the end is undefined. `place` 0 or 1: two blocks
   * can be held at once.
   */
  keys(block: Int, place: 0 | 1 = 0): Int {
    if (this.#isWhole) return keyAddress(this.#words.keys, this.#slot(block.shl(4)), this.#group, this.#shape);
    const { type, headSize } = this.#shape;
    const at = this.#scratch.add(place * headSize * this.keyStride);
    this.#eachKey(block, (slot, i) => {
      const from = keyAddress(this.#words.keys, slot, this.#group, this.#shape);
      this.#copy(from, blockSlots(this.#shape) * cacheBytes[type], at.add(i.mul(cacheBytes[type])), this.keyStride);
    });
    return at;
  }

  /** Address of the block's values, rows `valueStride` bytes apart. */
  values(block: Int): Int {
    if (this.#isWhole) return valueAddress(this.#words.values, this.#slot(block.shl(4)), this.#group, this.#shape);
    const bytes = cacheBytes[this.#shape.type];
    const at = this.#scratch.add(2 * this.#shape.headSize * this.keyStride);
    this.#eachKey(block, (slot, i) => {
      const from = valueAddress(this.#words.values, slot, this.#group, this.#shape);
      this.#copy(from, bytes, at.add(i.mul(this.valueStride)), bytes);
    });
    return at;
  }

  get #isWhole(): boolean {
    return blockSlots(this.#shape) === BLOCK_KEYS;
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
