// What the model said of answers before it was trained: asked of the trainer itself while it has the weights that the run
// starts from, once, and kept in a file of the run. So it takes no second model's memory, and at the first step the model
// and its reference are the same to the last bit. Not here: the sequences (preferences.ts).
import { createFileWriter, fileFacts, joinPath, makeFolder } from "#platform";
import { type HeldFile, holdFile } from "../data/held-file.ts";
import type { MicroBatch } from "../micro-batch.ts";
import type { Beginning, CurrentModel } from "../training-data.ts";
import { type Sequence, batchOf } from "./group-batch.ts";

export interface Reference extends Disposable {
  /** Asks, or opens what was asked when the run was begun. */
  begin(beginning: Beginning, file: string): Promise<void>;
  /** Log-probabilities of the targets of a document's rows; zeros before `begin`. */
  of(document: number): Float32Array;
}

export interface ReferenceOptions {
  /** Those that are asked about, ascending. */
  readonly documents: readonly number[];
  readonly sequenceOf: (document: number) => Sequence;
  /** Most rows of a batch. */
  readonly rows: number;
}

export function createReference({ documents, sequenceOf, rows }: ReferenceOptions): Reference {
  const places = new Map<number, readonly [start: number, end: number]>();
  let count = 0;
  for (const document of documents) {
    const start = count;
    count += sequenceOf(document).outputRows.length;
    places.set(document, [start, count]);
  }
  let held: HeldFile | undefined;
  let values: Float32Array | undefined;
  return {
    async begin({ trainer, folder, isResumed, signal }, name) {
      await makeFolder(folder);
      const path = joinPath(folder, name);
      const isThere = isResumed && (await fileFacts(path))?.sizeBytes === count * 4;
      if (!isThere) await ask(path, trainer, signal);
      held = await holdFile(path, count * 4, { map: count > 0 });
      values = new Float32Array(held.bytes.buffer, held.bytes.byteOffset, count);
    },
    of(document) {
      const [start, end] = places.get(document)!;
      return values?.subarray(start, end) ?? new Float32Array(end - start);
    },
    [Symbol.dispose]: () => held?.close(),
  };

  async function ask(path: string, model: CurrentModel, signal: AbortSignal | undefined): Promise<void> {
    await using file = await createFileWriter(path);
    for (const batch of inTurn(documents.map(sequenceOf), rows)) {
      const { logProbabilities } = await model.rows(batch, signal);
      await file.append(new Uint8Array(logProbabilities.slice().buffer));
    }
    await file.finish();
  }
}

/** Sequences in batches of at most `rows` rows, in order, each an element of its own. */
export function* inTurn(sequences: readonly Sequence[], rows: number): Generator<MicroBatch> {
  let [batch, size]: [Sequence[], number] = [[], 0];
  for (const sequence of sequences) {
    if (size + sequence.ids.length > rows) {
      yield batchOf(batch, batch.length);
      [batch, size] = [[], 0];
    }
    batch.push({ ...sequence, element: batch.length });
    size += sequence.ids.length;
  }
  if (batch.length > 0) yield batchOf(batch, batch.length);
}
