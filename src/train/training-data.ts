// What a run learns from, as the loop sees it. Not here: where it comes from (prepared-data.ts).
import type { MicroBatch } from "./trainer.ts";

export interface TrainingData {
  /** SHA-256 of all that the batches depend on besides step and seed; in hexadecimal. */
  readonly hash: string;
  /** Micro-batches that hold all documents once. */
  readonly batchesOfEpoch: number;
  /** A step's micro-batches: a pure function of the step, from 0 on, so that a run goes on anywhere. */
  batches(step: number): readonly MicroBatch[];
  /** Of documents that are never learnt, in the same order every time. */
  validation(): Iterable<MicroBatch>;
  /** UTF-8 bytes that the targets of `validation` spell; undefined where they are no text of their own. */
  readonly validationBytes: number | undefined;
}
