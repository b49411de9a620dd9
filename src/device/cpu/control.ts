// The control words: how the conductor and the compute threads talk, all in the model's shared memory. One block of i32
// words; words that different threads write often lie on cache lines of their own. Who writes what: see run-loop.ts.
// A program step is cut into parts; CLAIM holds (tag, next part) in one word, so that a part is claimed only by a thread
// that knows which step it belongs to. Tags count steps over all runs, modulo 2^20.

/** Byte address of the control block; address 0 stays unused, so that a null address is a fault of the planner. */
export const CONTROL_ADDRESS = 64;
export const CONTROL_BYTES = 1024;

const line = (n: number): number => CONTROL_ADDRESS / 4 + n * 16;

/** Index of each word in an Int32Array over the whole memory. */
export const Word = {
  /** Odd while the conductor writes the words of a run, even once they stand: a sequence lock. */
  command: line(0),
  /** Address of the step table. */
  program: line(0) + 1,
  steps: line(0) + 2,
  /** Tag of the run's first step. */
  tagBase: line(0) + 3,
  /** How many threads take part in runs; the others sleep on it. Changed by the conductor between runs. */
  active: line(0) + 4,
  /** Threads that serve, and those that served and have ended; the conductor waits on both. */
  ready: line(0) + 5,
  gone: line(0) + 6,
  /** Set by the conductor, not 0: threads end as soon as they see the next command. */
  quit: line(1) + 1,
  /** Set by the conductor at any time: parts are no longer computed, the run ends at the next step's end. */
  abort: line(1),
  claim: line(2),
  done: line(3),
  /** Threads asleep on CLAIM. */
  sleepers: line(4),
  /** Microseconds that threads slept on CLAIM for others that were off their cores, all threads together; wraps. */
  waitedMicros: line(4) + 1,
  /** Count of ended runs; the conductor waits on it. */
  finished: line(5),
  /** How the run ended: one of `Status`. */
  status: line(5) + 1,
  errorStep: line(6),
  errorPart: line(6) + 1,
  errorBytes: line(6) + 2,
  /** UTF-8 of the error's message. */
  errorText: line(7),
} as const;

export const ERROR_TEXT_BYTES = CONTROL_BYTES - 7 * 64;

export const Status = { ok: 0, aborted: 1, failed: 2 } as const;

export const PART_BITS = 12;
/** Of a claim: the next part. */
export const PART_MASK = (1 << PART_BITS) - 1;
/** Parts of one step at most; the lowering keeps to it. One fewer than fit, so that no claim is POISON. */
export const PARTS_MAX = PART_MASK - 1;
export const TAG_MASK = (1 << (32 - PART_BITS)) - 1;
/** A claim that no step reaches: a thread failed, every thread leaves. */
export const POISON = -1;

/** One step of the table: kernel index, offset of the argument record (below 2^31), parts. */
export const STEP_WORDS = 4;
