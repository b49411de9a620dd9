// The pages of one cache group: which are free, and how many sequences hold each of the others. Not here: what lies in
// a page.

export class PagePool {
  readonly #holders: Int32Array;
  /** Free pages; the next one is the last. */
  readonly #free: number[];
  readonly #spare: () => boolean;

  /** `spare`: asks sequences to let go of pages that they could do without; false: there are none. */
  constructor(pages: number, spare: () => boolean = () => false) {
    this.#spare = spare;
    this.#holders = new Int32Array(pages);
    this.#free = Array.from({ length: pages }, (_, i) => pages - 1 - i);
  }

  get free(): number {
    return this.#free.length;
  }

  /** Sees to it that `count` pages are free, or as many as can be. */
  makeRoom(count: number): void {
    while (this.#free.length < count) if (!this.#spare()) return;
  }

  /** A page that nobody holds. The layout gives every sequence what it needs, so after `makeRoom` there is one. */
  take(): number {
    const page = this.#free.pop();
    if (page === undefined) throw new RangeError("a sequence holds more pages than the layout gives it");
    this.#holders[page] = 1;
    return page;
  }

  isShared(page: number): boolean {
    return this.#holders[page] > 1;
  }

  /** One more sequence holds the page. */
  share(page: number): void {
    this.#holders[page]++;
  }

  /** One sequence less holds the page. */
  release(page: number): void {
    if (--this.#holders[page] === 0) this.#free.push(page);
  }
}
