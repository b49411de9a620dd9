// Sequences of token ids end to end as a micro-batch whose loss has elements of several rows: pairs, answers. Not here:
// which sequences lie together (data/groups.ts).
import type { MicroBatch } from "../micro-batch.ts";
import type { TokenStore } from "../data/token-store.ts";
import { rowsOfDocument } from "../data/groups.ts";

export interface Sequence {
  readonly ids: ArrayLike<number>;
  /** Rows of it that reach the head, ascending. */
  readonly outputRows: readonly number[];
  /** The element of the loss that they belong to. */
  readonly element: number;
  /** Which part of its element it is, from 0 on. */
  readonly part: number;
}

/** Inputs `targets` (the id after each row, 0 where none follows), `elements`, and `first` and `third`, 1 in rows of these parts. */
export function batchOf(sequences: readonly Sequence[], elements: number): MicroBatch {
  const size = sequences.reduce((sum, { ids }) => sum + ids.length, 0);
  const outputs = sequences.reduce((sum, { outputRows }) => sum + outputRows.length, 0);
  const batch = {
    ids: new Int32Array(size),
    positions: new Int32Array(size),
    starts: new Int32Array(size),
    outputRows: new Int32Array(outputs),
    targets: new Int32Array(outputs),
    elements: new Int32Array(outputs),
    first: new Float32Array(outputs),
    third: new Float32Array(outputs),
    weights: new Float32Array(elements).fill(1),
  };
  let [row, output] = [0, 0];
  for (const { ids, outputRows, element, part } of sequences) {
    batch.ids.set(ids, row);
    batch.starts.fill(row, row, row + ids.length);
    for (let i = 0; i < ids.length; i++) batch.positions[row + i] = i;
    for (const inside of outputRows) {
      batch.outputRows[output] = row + inside;
      batch.targets[output] = ids[inside + 1] ?? 0;
      batch.elements[output] = element;
      batch.first[output] = part === 0 ? 1 : 0;
      batch.third[output] = part === 2 ? 1 : 0;
      output++;
    }
    row += ids.length;
  }
  return batch;
}

/** Ids of a document, up to the last that is learnt. */
export function idsOf(store: TokenStore, document: number): Uint16Array | Uint32Array {
  const start = store.starts[document];
  return store.ids.subarray(start, start + rowsOfDocument(store, document));
}

/** Places of the tokens that are learnt. */
export function learntOf({ firstSpans, spans }: TokenStore, document: number): number[] {
  const places: number[] = [];
  for (let span = firstSpans[document]; span < firstSpans[document + 1]; span++) {
    for (let place = spans[2 * span]; place < spans[2 * span + 1]; place++) places.push(place);
  }
  return places;
}

/** Rows whose next token is the model's own. */
export const predicting = (store: TokenStore, document: number): number[] =>
  learntOf(store, document).flatMap((place) => (place > 0 ? [place - 1] : []));

/** A document with its answer, an element of its own. */
export const answerSequence = (store: TokenStore, document: number): Sequence => ({
  ids: idsOf(store, document),
  outputRows: predicting(store, document),
  element: 0,
  part: 0,
});

export function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
