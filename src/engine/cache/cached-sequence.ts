// One sequence whose keys and values are kept: its ids, and per cache group the pages that hold its rows.
//
// Full groups hold every row. A group of window w holds, besides pages that happen to contain them,
//   [n - w - 7, n) for the length n, and for each anchor a (two at most) [a - w - 7, a),
// so that 8 rows can be taken back at the end or at an anchor; what falls out of all these is freed. Anchors are the
// lengths to which a conversation is likely to return: where the last prompt ended (another reply is asked for) and
// where the cached part of it ended (the last message is edited). A length whose rows are not all there is not
// reusable: `reusable` finds the next shorter one that is, 0 at worst. Pages for anchors are those that no sequence needs
// for its own length just now: where these run short, the least recently used sequence forgets its anchors (slots.ts).
//
// Pages may be shared: a fork holds the pages of a prefix, and a copy of the page that is not full. Nobody writes to a shared
// page: who goes back into one goes back to its first row and takes another.
import type { AttachedAdapter } from "../adapters.ts";
import { ANCHORS, type GroupLayout, type Layout, ROLLBACK_ROWS } from "../layout.ts";
import type { PagePool } from "./page-pool.ts";

/** Copies what is in one page of a group, given by its number in the layout, to another. */
export type CopyPage = (group: number, from: number, to: number) => void;

/** Stands in a page table where there is no page. */
const ABSENT = -1;

interface GroupPages {
  readonly pool: PagePool;
  readonly window: number;
  /** Page of rows [i * pageSize, (i + 1) * pageSize). */
  readonly table: Int32Array;
}

export class CachedSequence {
  readonly #layout: Layout;
  readonly #groups: readonly GroupPages[];
  readonly #sourcePages: GroupPages | undefined;
  #length = 0;
  /** Rows up to here have pages: those that a run is about to write. */
  #reserved = 0;
  #anchors: readonly number[] = [];
  /** ids[0 .. length) have their keys and values; what follows is to be run. (window) */
  readonly ids: Int32Array;
  /** With which its keys and values are made; set while it is empty. */
  adapter: AttachedAdapter | undefined;
  /** What its rows look at, kept as soon as there are any; set while it is empty. */
  source: Int32Array = new Int32Array(0);
  /** With which angles its keys are turned (nn/rope-scaling.ts); set while it is empty. */
  ropeStage = 0;

  /** `pools`: of the layout's groups in order, then of its source. */
  constructor(layout: Layout, pools: readonly PagePool[]) {
    this.#layout = layout;
    this.ids = new Int32Array(layout.window);
    const pagesOf = ({ group }: GroupLayout, i: number): GroupPages => ({
      pool: pools[i],
      window: group.window ?? Infinity,
      table: new Int32Array(layout.pagesPerSequence).fill(ABSENT),
    });
    this.#groups = layout.groups.map(pagesOf);
    this.#sourcePages = layout.source && pagesOf(layout.source, layout.groups.length);
  }

  /** Tokens whose keys and values are there. */
  get length(): number {
    return this.#length;
  }

  get anchors(): readonly number[] {
    return this.#anchors;
  }

  /** Page table of group `group`; entries of freed pages are negative. */
  pages(group: number): Int32Array {
    return this.#groups[group].table;
  }

  /** Row of the group's state that holds `position`. */
  slot(group: number, position: number): number {
    return this.#slotIn(this.#groups[group], position);
  }

  /** Page table of the source. */
  get sourcePages(): Int32Array {
    return this.#sourcePages!.table;
  }

  /** Row of the source's state that holds `position` of it. */
  sourceSlot(position: number): number {
    return this.#slotIn(this.#sourcePages!, position);
  }

  #slotIn({ table }: GroupPages, position: number): number {
    const { pageSize } = this.#layout;
    return table[Math.floor(position / pageSize)] * pageSize + (position % pageSize);
  }

  /** How many of `ids`' first tokens this sequence begins with. */
  sharedLength(ids: Int32Array): number {
    const most = Math.min(ids.length, this.#length);
    let shared = 0;
    while (shared < most && ids[shared] === this.ids[shared]) shared++;
    return shared;
  }

  /** The longest length <= `most`, a multiple of `step`, from which the sequence could go on. */
  reusable(most: number, step = 1): number {
    let length = Math.min(most, this.#length);
    length -= length % step;
    while (length > 0 && !this.#groups.every((group) => this.#goesOn(group, length))) length -= step;
    return length;
  }

  /** Whether this is what its rows look at. */
  hasSource(ids: Int32Array): boolean {
    return ids.length === this.source.length && ids.every((id, i) => id === this.source[i]);
  }

  /** Makes room for rows [length, length + count), and for the source if these are the first. */
  reserve(count: number): void {
    const { pageSize } = this.#layout;
    for (let i = 0; i * pageSize < this.source.length; i++) {
      const { pool, table } = this.#sourcePages!;
      if (table[i] === ABSENT) table[i] = pool.take();
    }
    const first = Math.floor(this.#length / pageSize);
    const last = Math.ceil((this.#length + count) / pageSize);
    // all the room first: to make some, this sequence too may let go of pages
    for (const { pool, table } of this.#groups) {
      pool.makeRoom(table.subarray(first, last).reduce((absent, page) => absent + Number(page === ABSENT), 0));
    }
    for (const { pool, table } of this.#groups) {
      for (let i = first; i < last; i++) if (table[i] === ABSENT) table[i] = pool.take();
    }
    this.#reserved = this.#length + count;
  }

  /** `count` reserved rows were written. */
  advance(count: number): void {
    this.#length += count;
    this.#reserved = this.#length;
    this.#trim();
  }

  /** Takes the sequence back to a `reusable` length. Throws RangeError for another. */
  rollback(length: number): void {
    if (length < 0 || length > this.#length || this.reusable(length) !== length) {
      throw new RangeError(`a sequence of ${this.#length} tokens cannot go on from ${length}`);
    }
    this.#length = length;
    this.#reserved = length;
    this.#anchors = this.#anchors.filter((anchor) => anchor <= length);
    this.#trim();
  }

  /** A prompt of `promptLength` tokens begins here: its end, and this length if it is not near it, become anchors. */
  anchor(promptLength: number): void {
    const here = promptLength - this.#length > ROLLBACK_ROWS ? [this.#length] : [];
    const lengths = new Set([...this.#anchors, ...here, promptLength].filter((length) => length > 0));
    this.#anchors = [...lengths].slice(-ANCHORS);
    this.#trim();
  }

  /** Gives up what only its anchors keep, where pages are short. Returns whether it had any. */
  dropAnchors(): boolean {
    if (this.#anchors.length === 0) return false;
    this.#anchors = [];
    this.#trim();
    return true;
  }

  /**
   * Becomes the first `length` tokens of `source`, a reusable length of it, by sharing its whole pages; the rest of them, where
   * the length is not page-aligned, is copied by `copyPage`.
   */
  fork(source: CachedSequence, length: number, copyPage?: CopyPage): void {
    this.clear();
    this.adapter = source.adapter;
    this.source = source.source;
    this.ropeStage = source.ropeStage;
    this.ids.set(source.ids.subarray(0, length));
    this.#length = length;
    this.#reserved = length;
    const end = Math.floor(length / this.#layout.pageSize);
    const isPart = length % this.#layout.pageSize > 0;
    if (isPart) for (const { pool } of this.#groups) pool.makeRoom(1);
    for (const [g, { pool, table }] of this.#groups.entries()) {
      for (let i = 0; i < end; i++) {
        const page = source.pages(g)[i];
        if (page !== ABSENT) pool.share(page);
        table[i] = page;
      }
      if (!isPart) continue;
      table[end] = pool.take();
      copyPage!(g, source.pages(g)[end], table[end]);
    }
    if (this.#sourcePages !== undefined) {
      const { pool, table } = this.#sourcePages;
      table.set(source.sourcePages); // nobody writes to a source once it is read
      for (const page of table) if (page !== ABSENT) pool.share(page);
    }
    this.#trim();
  }

  clear(): void {
    this.rollback(0);
  }

  /** True if every row that the row at `length` sees is there, and that row's page is not shared. */
  #goesOn({ pool, window, table }: GroupPages, length: number): boolean {
    const { pageSize } = this.#layout;
    const first = Math.max(0, length - window + 1);
    for (let i = Math.floor(first / pageSize); i * pageSize < length; i++) if (table[i] === ABSENT) return false;
    return length % pageSize === 0 || !pool.isShared(table[Math.floor(length / pageSize)]);
  }

  /** Frees the pages of rows that do not count and, in window groups, of rows that fell out. */
  #trim(): void {
    const { pageSize } = this.#layout;
    if (this.#reserved === 0 && this.#sourcePages !== undefined) {
      const { pool, table } = this.#sourcePages;
      for (const page of table) if (page !== ABSENT) pool.release(page);
      table.fill(ABSENT);
    }
    for (const { pool, table, window } of this.#groups) {
      const reach = window + ROLLBACK_ROWS - 1;
      for (let i = 0; i < table.length; i++) {
        if (table[i] === ABSENT) continue;
        const first = i * pageSize;
        const end = first + pageSize;
        const seenFrom = (length: number): boolean => first < length && end > length - reach;
        const isReserved = end > this.#length && first < this.#reserved;
        if (isReserved || seenFrom(this.#length) || (first < this.#length && this.#anchors.some(seenFrom))) continue;
        pool.release(table[i]);
        table[i] = ABSENT;
      }
    }
  }
}
