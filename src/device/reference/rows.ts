// Operands as the reference sees them: rows of numbers, whatever holds them. A weight decodes a row when it is asked
// for, a state gives what is stored, a computed value is f64. A vector is one row.
import type { StateType } from "../../graph/index.ts";
import { F16_MOST, storeF16 } from "../../numeric/f16.ts";
import { bytesForRow, formats } from "../../numeric/registry.ts";
import type { StoredParameter } from "../executor.ts";

export interface Rows {
  readonly rows: number;
  readonly columns: number;
  /** The numbers of row i; read-only. */
  row(i: number): ArrayLike<number>;
  /**
   * To be called, and awaited where it gives a promise, before row `first` of a weight's matrix is asked for, by an op that
   * goes on to `end`. Absent: all rows are there.
   */
  reach?(first: number, end: number): Promise<void> | undefined;
}

/** Rows of a program's input, of a computed value, or of an f32 state. */
export class Matrix<A extends Float64Array | Float32Array | Int32Array = Float64Array> implements Rows {
  readonly values: A;
  readonly rows: number;
  readonly columns: number;

  constructor(values: A, rows: number, columns: number) {
    this.values = values;
    this.rows = rows;
    this.columns = columns;
  }

  static zeros(rows: number, columns: number): Matrix {
    return new Matrix(new Float64Array(rows * columns), rows, columns);
  }

  row(i: number): A {
    return this.values.subarray(i * this.columns, (i + 1) * this.columns) as A;
  }
}

/** A weight in its stored format. */
export class WeightRows implements Rows {
  readonly #stored: StoredParameter;
  readonly #bytes: Uint8Array;
  readonly #rowBytes: number;
  readonly rows: number;
  readonly columns: number;

  constructor(stored: StoredParameter, bytes: Uint8Array) {
    this.#stored = stored;
    this.#bytes = bytes;
    this.#rowBytes = bytesForRow(stored.format, stored.columns);
    this.rows = stored.rows;
    this.columns = stored.columns;
  }

  row(i: number): Float32Array {
    const bytes = this.#bytes.subarray(i * this.#rowBytes, (i + 1) * this.#rowBytes);
    return formats[this.#stored.format].decode(bytes, this.columns);
  }
}

/** A state: rows that `store` rounds to the state's type. */
export interface StateRows extends Rows {
  store(i: number, values: ArrayLike<number>): void;
  /** Rows from `from` on become rows from `to` on, as they are stored. */
  copy(from: number, to: number, count: number): void;
}

export class F32State extends Matrix<Float32Array> implements StateRows {
  constructor(rows: number, columns: number) {
    super(new Float32Array(rows * columns), rows, columns);
  }

  store(i: number, values: ArrayLike<number>): void {
    this.row(i).set(values);
  }

  copy(from: number, to: number, count: number): void {
    this.values.copyWithin(to * this.columns, from * this.columns, (from + count) * this.columns);
  }
}

/**
 * A state whose rows are kept in a number format. Numbers beyond what it holds become the largest that it holds; NaN stays
 * NaN, in a quantized block all of it.
 */
export class RoundedState implements StateRows {
  readonly #type: Exclude<StateType, "f32">;
  readonly #bytes: Uint8Array;
  readonly #rowBytes: number;
  readonly rows: number;
  readonly columns: number;

  constructor(type: Exclude<StateType, "f32">, rows: number, columns: number) {
    this.#type = type;
    this.#rowBytes = bytesForRow(type, columns);
    this.#bytes = new Uint8Array(rows * this.#rowBytes);
    this.rows = rows;
    this.columns = columns;
  }

  row(i: number): Float32Array {
    return formats[this.#type].decode(this.#bytesOf(i), this.columns);
  }

  store(i: number, values: ArrayLike<number>): void {
    const { blockSize, blockBytes, encode } = formats[this.#type];
    const most = MOST[this.#type];
    const finite = Float32Array.from(values, (value) => Math.max(-most, Math.min(most, value))); // NaN stays NaN
    const row = this.#bytesOf(i);
    row.set(encode!(finite));
    // a code is no place for NaN: the block's scale is, its first number
    for (let block = 0; block * blockSize < this.columns; block++) {
      const numbers = finite.subarray(block * blockSize, (block + 1) * blockSize);
      if (numbers.some(Number.isNaN)) storeF16(row, block * blockBytes, NaN);
    }
  }

  copy(from: number, to: number, count: number): void {
    this.#bytes.copyWithin(to * this.#rowBytes, from * this.#rowBytes, (from + count) * this.#rowBytes);
  }

  #bytesOf(i: number): Uint8Array {
    return this.#bytes.subarray(i * this.#rowBytes, (i + 1) * this.#rowBytes);
  }
}

/** The largest number of a type: of a block, the largest scale times the largest code. */
const MOST = { f16: F16_MOST, q8_0: 127 * F16_MOST, q4_0: 8 * F16_MOST } as const;
