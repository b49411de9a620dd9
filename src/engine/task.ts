// What the scheduler runs: a prompt, and then whatever ids follow it. Bodies: reply.ts (a reply), reading.ts
// (logits of a given text).
import type { AttachedAdapter } from "./adapters.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";

export interface Task {
  readonly prompt: Int32Array;
  /** What is read before it, by models that read sources; else empty. */
  readonly source: Int32Array;
  /** With which its rows run; undefined: the model's own. */
  readonly adapter: AttachedAdapter | undefined;
  /** Cached pages may serve the prompt. */
  readonly reuse: boolean;
  /** Every row of the prompt reaches the head, not only the last one. */
  readonly everyRow: boolean;
  /** Aborted when nobody waits for the task's results any more, for whatever reason. */
  readonly left: AbortSignal;
  /** True while its reader is behind: it is then left out of runs. */
  readonly paused: boolean;
  /** A sequence is there; its `length` is what was found of the prompt. */
  start(sequence: CachedSequence): void;
  /** The sequence grew by a chunk of the prompt. */
  progress(done: number): void;
  /**
   * Logits (V) after the row at `position` and the largest of each block, valid during the call. Returns true when one more id was put at
   * sequence.ids[position + 1] to be run, false when the task needs no more.
   */
  take(logits: Float32Array, position: number, peaks?: Float32Array): boolean;
  /** A run of its rows failed, or the engine closed. */
  fail(error: unknown): void;
}
