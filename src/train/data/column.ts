// Numbers that are appended one by one, in typed arrays: a column of millions of documents costs its bytes and no more.

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

export interface Column<T extends Numbers> {
  readonly length: number;
  push(value: number): void;
  at(index: number): number;
  /** The numbers so far; a view that the next `push` may leave behind. */
  view(): T;
}

/** An empty column of the type of `kind`. */
export function createColumn<T extends Numbers>(kind: new (length: number) => T): Column<T> {
  let values = new kind(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) {
        const larger = new kind(length * 2);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    at: (index) => values[index],
    view: () => values.subarray(0, length) as T,
  };
}
