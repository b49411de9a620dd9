// Who reads a cache: one head of one sequence, 16 keys at a time, whatever its type and however pages are cut. Plain numbers
// are read where they lie, if pages have whole blocks; else a block is brought together first, in scratch, quantized numbers
// as f32.
import { type QuantizedType, isQuantized } from "../../../graph/index.ts";
import type { Int, KernelBuilder } from "../../../lanes/index.ts";
import {
  BLOCK_KEYS,
  type CacheShape,
  type PlainType,
  blockSlots,
  copyCached,
  divide,
  headBytes,
  keyPlace,
  plainBytes,
  valueAddress,
} from "./key-blocks.ts";
import { FLOAT_BYTES, LINE_BYTES } from "./loops.ts";
import { loadKeys, loadRow } from "./quantized-rows.ts";

/** What is read soon is asked for so many bytes before; bench/attention.ts. */
const AHEAD_BYTES = 2048;

export interface CacheReader {
  /** Of the numbers that `keys` and `values` give. */
  readonly type: PlainType;
  /** Bytes from a column of a block of keys to the next. */
  readonly keyStride: number;
  /** Bytes from a value to the next key's. */
  readonly valueStride: number;
  /** Address of block `block` as (D, 16); what stands there for keys past the end is undefined. */
  keys(block: Int): Int;
  /** Address of the block's values, one row after another; two blocks, of `place` 0 and 1, can be held at once. */
  values(block: Int, place?: 0 | 1): Int;
  /** Where a block of keys lies in the cache, whole where pages have whole blocks. */
  keysPlace(block: Int): Int;
  /** Asks for the first values of a block. */
  prefetchValues(block: Int): void;
  /** Asks for what is read some time after what lies there, where it lies in the cache. */
  prefetch(at: Int, bytes: number): void;
}

/** The planes of a layer's heads, and bytes of one. */
interface Planes {
  readonly keys: Int;
  readonly values: Int;
  readonly plane: Int;
}

/** Which head of which sequence: its table, the heads' group, the key past the last that is read, scratch of `readerBytes`. */
interface Sequence {
  readonly pages: Int;
  readonly group: Int;
  readonly end: Int;
  readonly scratch: Int;
}

type Grouped = CacheShape & { readonly groups: number };

export const cacheReader = (k: KernelBuilder, shape: Grouped, planes: Planes, sequence: Sequence): CacheReader =>
  isQuantized(shape.type)
    ? new QuantizedReader(k, shape, shape.type, planes, sequence)
    : new PlainReader(k, shape, shape.type, planes, sequence);

/** Scratch bytes that a reader needs: nothing, or two blocks, and of quantized numbers a row's scales and a key. */
export function readerBytes(shape: CacheShape): number {
  const { type, headSize } = shape;
  if (isQuantized(type)) return (2 * BLOCK_KEYS + 1) * headSize * FLOAT_BYTES + headSize + 2 * LINE_BYTES;
  return blockSlots(shape) === BLOCK_KEYS ? 0 : 2 * BLOCK_KEYS * headSize * plainBytes[type] + LINE_BYTES;
}

/** Asks for what is read some time after the `bytes` bytes at `at`: the next ones, but at a page's end. */
export function prefetchAhead(at: Int, bytes: number): void {
  for (let offset = 0; offset < bytes; offset += LINE_BYTES) at.prefetch(offset + AHEAD_BYTES);
}

/** What readers share: where keys and values lie. */
class Places {
  protected readonly k: KernelBuilder;
  protected readonly shape: CacheShape;
  protected readonly scratch: Int;
  /** The head's planes. */
  readonly #keys: Int;
  readonly #values: Int;
  readonly #pages: Int;
  readonly #end: Int;

  constructor(k: KernelBuilder, shape: Grouped, planes: Planes, { pages, group, end, scratch }: Sequence) {
    this.k = k;
    this.shape = shape;
    this.scratch = scratch;
    const first = group.div(shape.groups / shape.kvHeads).mul(planes.plane);
    this.#keys = planes.keys.add(first);
    this.#values = planes.values.add(first);
    this.#pages = pages;
    this.#end = end;
  }

  keysPlace(block: Int): Int {
    return this.keyPlace(this.slot(block.shl(4))).block;
  }

  prefetchValues(block: Int): void {
    const at = this.valuePlace(this.slot(block.shl(4)));
    this.k.range(0, AHEAD_BYTES, LINE_BYTES, (i) => at.add(i).prefetch());
  }

  /** Whether pages have whole blocks of values. */
  protected get isWhole(): boolean {
    return this.shape.pageSize % BLOCK_KEYS === 0;
  }

  protected keyPlace(slot: Int): { readonly block: Int; readonly key: Int } {
    return keyPlace(this.#keys, slot, this.shape);
  }

  protected valuePlace(slot: Int): Int {
    return valueAddress(this.#values, slot, this.shape);
  }

  protected slot(key: Int): Int {
    const { quotient, remainder } = divide(key, this.shape.pageSize);
    return this.#pages.add(quotient.shl(2)).loadInt().mul(this.shape.pageSize).add(remainder);
  }

  /** The keys of a block that are there. */
  protected eachKey(block: Int, body: (slot: Int, i: Int) => void): void {
    const first = block.shl(4);
    const whole = this.isWhole ? this.slot(first) : undefined;
    this.k.range(0, this.#end.sub(first).min(BLOCK_KEYS), 1, (i) =>
      body(whole === undefined ? this.slot(first.add(i)) : whole.add(i), i),
    );
  }
}

class PlainReader extends Places implements CacheReader {
  readonly type: PlainType;
  readonly keyStride: number;
  readonly valueStride: number;

  constructor(k: KernelBuilder, shape: Grouped, type: PlainType, planes: Planes, sequence: Sequence) {
    super(k, shape, planes, sequence);
    this.type = type;
    this.keyStride = BLOCK_KEYS * plainBytes[type];
    this.valueStride = shape.headSize * plainBytes[type];
  }

  keys(block: Int): Int {
    const slots = blockSlots(this.shape);
    if (slots === BLOCK_KEYS) return this.keysPlace(block);
    const bytes = plainBytes[this.type];
    this.eachKey(block, (slot, i) => {
      const { block: from, key } = this.keyPlace(slot);
      this.#copy(from.add(key.mul(bytes)), slots * bytes, this.scratch.add(i.mul(bytes)), this.keyStride);
    });
    return this.scratch;
  }

  values(block: Int, place: 0 | 1 = 0): Int {
    if (this.isWhole) return this.valuePlace(this.slot(block.shl(4)));
    const bytes = plainBytes[this.type];
    const at = this.scratch.add(place * BLOCK_KEYS * this.valueStride);
    this.eachKey(block, (slot, i) => {
      this.#copy(this.valuePlace(slot), bytes, at.add(i.mul(this.valueStride)), bytes);
    });
    return at;
  }

  prefetch(at: Int, bytes: number): void {
    prefetchAhead(at, bytes);
  }

  /** The D numbers of a key, `fromStride` and `toStride` bytes apart. */
  #copy(from: Int, fromStride: number, to: Int, toStride: number): void {
    const { headSize } = this.shape;
    this.k.range(0, headSize, 1, (d) => copyCached(this.type, from.add(d.mul(fromStride)), to.add(d.mul(toStride))));
  }
}

class QuantizedReader extends Places implements CacheReader {
  readonly type = "f32";
  readonly keyStride = BLOCK_KEYS * FLOAT_BYTES;
  readonly valueStride: number;
  readonly #stored: QuantizedType;

  constructor(k: KernelBuilder, shape: Grouped, stored: QuantizedType, planes: Planes, sequence: Sequence) {
    super(k, shape, planes, sequence);
    this.#stored = stored;
    this.valueStride = shape.headSize * FLOAT_BYTES;
  }

  keys(block: Int): Int {
    const { headSize } = this.shape;
    if (blockSlots(this.shape) === BLOCK_KEYS) {
      loadKeys(this.k, this.#stored, headSize, this.keysPlace(block), this.scratch);
      return this.scratch;
    }
    const row = this.scratch.add(2 * BLOCK_KEYS * this.valueStride);
    this.eachKey(block, (slot, i) => {
      this.#load(this.keyPlace(slot).block, row);
      const to = this.scratch.add(i.shl(2));
      this.k.range(0, headSize, 1, (d) => to.add(d.mul(this.keyStride)).store(row.add(d.shl(2)).loadInt()));
    });
    return this.scratch;
  }

  values(block: Int, place: 0 | 1 = 0): Int {
    const at = this.scratch.add(place * BLOCK_KEYS * this.valueStride);
    this.eachKey(block, (slot, i) => {
      const from = this.valuePlace(slot);
      prefetchAhead(from, headBytes(this.shape));
      this.#load(from, at.add(i.mul(this.valueStride)));
    });
    return at;
  }

  // what it gives is near already
  prefetch(): void {}

  #load(from: Int, to: Int): void {
    const scales = this.scratch.add((2 * BLOCK_KEYS + 1) * this.valueStride);
    loadRow(this.k, this.#stored, this.shape.headSize, from, to, scales);
  }
}
