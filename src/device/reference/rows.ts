// Operands as the reference sees them: rows of numbers, whatever holds them. A weight decodes a row when it is asked
// for, a state gives what is stored, a computed value is f64. A vector is one row.
import { F16_MOST, f16Bits, f16Value } from "../../numeric/f16.ts";
import { bytesForRow, formats } from "../../numeric/registry.ts";
import type { StoredParameter } from "../executor.ts";

export interface Rows {
  readonly rows: number;
  readonly columns: number;
  /** The numbers of row i; read-only. */
  row(i: number): ArrayLike<number>;
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
}

export class F32State extends Matrix<Float32Array> implements StateRows {
  constructor(rows: number, columns: number) {
    super(new Float32Array(rows * columns), rows, columns);
  }

  store(i: number, values: ArrayLike<number>): void {
    this.row(i).set(values);
  }
}

export class F16State implements StateRows {
  readonly #bits: Uint16Array;
  readonly rows: number;
  readonly columns: number;

  constructor(rows: number, columns: number) {
    this.#bits = new Uint16Array(rows * columns);
    this.rows = rows;
    this.columns = columns;
  }

  row(i: number): Float32Array {
    return Float32Array.from(this.#bits.subarray(i * this.columns, (i + 1) * this.columns), f16Value);
  }

  store(i: number, values: ArrayLike<number>): void {
    for (let column = 0; column < this.columns; column++) {
      const finite = Math.max(-F16_MOST, Math.min(F16_MOST, values[column])); // NaN stays NaN
      this.#bits[i * this.columns + column] = f16Bits(finite);
    }
  }
}
