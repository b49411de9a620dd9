// A bounded queue between one writer, which asks `full` before it makes more, and one reader. Not here: who makes more.

interface Reader<T> {
  resolve(this: void, result: IteratorResult<T, undefined>): void;
  reject(this: void, error: unknown): void;
}

export class EventQueue<T> implements AsyncIterator<T, undefined> {
  readonly #capacity: number;
  /** Called when a reader has made room. */
  readonly #onSpace: () => void;
  #items: T[] = [];
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #waiting: Reader<T> | undefined;

  constructor(capacity: number, onSpace: () => void) {
    this.#capacity = capacity;
    this.#onSpace = onSpace;
  }

  get full(): boolean {
    return this.#items.length >= this.#capacity;
  }

  /** Ignored after the end. */
  push(item: T): void {
    if (this.#ended) return;
    if (this.#waiting === undefined) this.#items.push(item);
    else this.#settle((reader) => reader.resolve({ done: false, value: item }));
  }

  /** The reader gets what is left, then the end. */
  end(): void {
    this.#ended = true;
    this.#settle((reader) => reader.resolve({ done: true, value: undefined }));
  }

  /** The reader's next call rejects; what is left is dropped. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#items = [];
    if (this.#waiting === undefined) this.#failure = { error };
    else this.#settle((reader) => reader.reject(error));
  }

  /** Drops what the reader has not read. */
  drop(): void {
    this.#items = [];
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    const value = this.#items.shift();
    if (value !== undefined) {
      if (this.#items.length === this.#capacity - 1) this.#onSpace();
      return { done: false, value };
    }
    if (this.#ended) return { done: true, value: undefined };
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #settle(by: (reader: Reader<T>) => void): void {
    const reader = this.#waiting;
    this.#waiting = undefined;
    if (reader !== undefined) by(reader);
  }
}
