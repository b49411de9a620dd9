// The reference executor for models of any size: of a large weight it holds a few rows at a time, read again from the store
// in every run. As slow as the reference, and as right; for what runs once, such as a comparison.
import { LiangError } from "../../base/errors.ts";
import { bytesForRow } from "../../numeric/registry.ts";
import type { Executor, ParameterStore, StoredParameter } from "../executor.ts";
import { openReference, referenceExecutor, wholeWeight } from "./executor.ts";
import { type Rows, WeightRows } from "./rows.ts";

/** What is held of a weight at once, and so the size up to which weights are held whole. */
const HELD_BYTES = 4 * 2 ** 20;

/** `heldBytes`: of one weight at once; a row at least. */
export function streamingExecutor(heldBytes: number = HELD_BYTES): Executor {
  return {
    ...referenceExecutor,
    open: (store, graphs, options) =>
      openReference(store, graphs, options, async (stored) =>
        stored.byteLength <= heldBytes ? await wholeWeight(store, stored) : new StreamedRows(store, stored, heldBytes),
      ),
  };
}

/** A weight of which a run of rows is there, the one that was reached for last. */
class StreamedRows implements Rows {
  readonly #store: ParameterStore;
  readonly #stored: StoredParameter;
  readonly #rowBytes: number;
  readonly #most: number;
  #first = 0;
  #end = 0;
  #held: WeightRows | undefined;
  readonly rows: number;
  readonly columns: number;

  constructor(store: ParameterStore, stored: StoredParameter, heldBytes: number) {
    this.#store = store;
    this.#stored = stored;
    this.#rowBytes = bytesForRow(stored.format, stored.columns);
    this.#most = Math.max(1, Math.floor(heldBytes / this.#rowBytes));
    this.rows = stored.rows;
    this.columns = stored.columns;
  }

  reach(first: number, end: number): Promise<void> | undefined {
    return first >= this.#first && first < this.#end ? undefined : this.#read(first, Math.min(end, first + this.#most));
  }

  async #read(first: number, end: number): Promise<void> {
    const bytes = new Uint8Array((end - first) * this.#rowBytes);
    await this.#store.readRows(this.#stored.name, first, bytes);
    this.#held = new WeightRows(this.#stored, bytes);
    [this.#first, this.#end] = [first, end];
  }

  row(i: number): Float32Array {
    if (this.#held === undefined || i < this.#first || i >= this.#end) {
      throw new LiangError("not_reached", `Row ${i} of ${this.#stored.name} is not held: the op did not reach for it.`);
    }
    return this.#held.row(i - this.#first);
  }
}
