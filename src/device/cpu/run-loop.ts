// What a compute thread does while a model is loaded: wait for a command, walk the program's steps, claim parts, close
// steps; it never returns to its event loop in between. A step ends when all its parts are done, not when all threads
// arrive: a thread that was preempted finds itself some steps behind and jumps to the step that is open now.
//
// A claim cannot be stale: the compare-and-exchange succeeds only while CLAIM still holds the tag of the step that the
// thread looked up. (A thread would have to stop between two instructions for 2^20 steps, which is minutes, and wake at
// the same part number to be fooled.) And while a claimed part is not done its run cannot end, so neither records nor
// inputs change under a kernel.
import { ERROR_TEXT_BYTES, PART_BITS, PART_MASK, POISON, STEP_WORDS, Status, TAG_MASK, Word } from "./control.ts";

/** One compute kernel: the record's address, which part, how many parts, the thread's scratch (WASM has it already). */
export type KernelFunction = (record: number, part: number, parts: number, scratch: number) => void;

/**
 * Spinning longer than this costs other processes more than waking costs us, 6 to 30 µs (bench/threads.ts). Tokens take as
 * long with 5 µs, and no less with 100 (bench/model.ts).
 */
const SPIN_MS = 0.02;

const relax: () => void = (Atomics as unknown as { pause?: () => void }).pause ?? (() => {});

/** What a thread computes with. */
interface Thread {
  /** Which of the pool's threads it is, from 0. */
  readonly index: number;
  readonly words: Int32Array;
  readonly kernels: readonly KernelFunction[];
  /** The address of the memory's first byte, as kernels see it. */
  readonly base: number;
  readonly scratch: number;
}

/** Serves runs until a thread fails or the conductor says quit. Blocks; call it on a thread of its own. */
export function serve(thread: Thread): void {
  const { words } = thread;
  tell(words, Word.ready);
  serveRuns(thread);
  tell(words, Word.gone);
}

function serveRuns(thread: Thread): void {
  const { words } = thread;
  let command = 0;
  for (;;) {
    command = waitForCommand(words, command);
    if (Atomics.load(words, Word.quit) !== 0) return;
    const program = words[Word.program];
    const steps = words[Word.steps];
    const tagBase = words[Word.tagBase];
    if (Atomics.load(words, Word.command) !== command) continue; // the run ended and another is being set up
    const active = words[Word.active];
    if (thread.index >= active) Atomics.wait(words, Word.active, active);
    else if (!walk(thread, program / 4, steps, tagBase)) return;
  }
}

/** The next even command after `last`; sleeps on the command word after a short spin. */
function waitForCommand(words: Int32Array, last: number): number {
  const until = performance.now() + SPIN_MS;
  for (let turn = 1; ; turn++) {
    const command = Atomics.load(words, Word.command);
    if (command !== last && (command & 1) === 0) return command;
    relax();
    if ((turn & 63) === 0 && performance.now() > until) Atomics.wait(words, Word.command, command);
  }
}

/** Takes part in one run; false when a thread has failed. */
function walk(thread: Thread, table: number, steps: number, tagBase: number): boolean {
  const { words, kernels, base, scratch } = thread;
  let began = performance.now();
  let own = 0;
  for (;;) {
    const claim = Atomics.load(words, Word.claim);
    if (claim === POISON) return false;
    const step = ((claim >>> PART_BITS) - tagBase) & TAG_MASK;
    if (step >= steps) return true;
    const row = table + step * STEP_WORDS;
    const parts = words[row + 2];
    const part = claim & PART_MASK;
    if (part >= parts) {
      began = waitForClose(words, claim, began, own);
      own = 0;
      continue;
    }
    if (Atomics.compareExchange(words, Word.claim, claim, claim + 1) !== claim) continue;
    own++;
    if (Atomics.load(words, Word.abort) === 0) {
      try {
        kernels[words[row]](base + words[row + 1], part, parts, scratch);
      } catch (error) {
        fail(words, error, step, part);
        return false;
      }
    }
    if (Atomics.add(words, Word.done, 1) === parts - 1) close(words, table, steps, tagBase, step);
  }
}

/** The thread that did a step's last part opens the next step, or ends the run. */
function close(words: Int32Array, table: number, steps: number, tagBase: number, step: number): void {
  Atomics.store(words, Word.done, 0);
  let next = step + 1;
  const aborted = Atomics.load(words, Word.abort) !== 0;
  if (aborted) next = steps;
  while (next < steps && words[table + next * STEP_WORDS + 2] === 0) next++;
  Atomics.store(words, Word.claim, ((tagBase + next) << PART_BITS) | 0);
  if (Atomics.load(words, Word.sleepers) > 0) Atomics.notify(words, Word.claim);
  if (next < steps) return;
  Atomics.store(words, Word.status, aborted ? Status.aborted : Status.ok);
  tell(words, Word.finished);
}

/**
 * Spins, then sleeps, until CLAIM is no longer `claim`. The closer stores CLAIM before it reads `sleepers`. Gives the time
 * when the thread's next parts began. Of a sleep that is counted as waiting which is longer than two parts take, by those
 * `own` parts that this thread did since `began`: so long nobody waits but for a thread that is off its core.
 */
function waitForClose(words: Int32Array, claim: number, began: number, own: number): number {
  const from = performance.now();
  let slept = false;
  for (let turn = 1; Atomics.load(words, Word.claim) === claim; turn++) {
    relax();
    if ((turn & 63) !== 0 || performance.now() <= from + SPIN_MS) continue;
    slept = true;
    Atomics.add(words, Word.sleepers, 1);
    Atomics.wait(words, Word.claim, claim);
    Atomics.sub(words, Word.sleepers, 1);
  }
  if (!slept) return from;
  const end = performance.now();
  const waited = end - from - (2 * (from - began)) / own; // minus infinity where it had no part
  if (waited > 0) Atomics.add(words, Word.waitedMicros, waited * 1000);
  return end;
}

/** Counts one more in a word that the conductor waits on. */
function tell(words: Int32Array, word: number): void {
  Atomics.add(words, word, 1);
  Atomics.notify(words, word);
}

/** Says where and why, poisons the claim so that every thread leaves, and wakes the conductor. */
function fail(words: Int32Array, error: unknown, step: number, part: number): void {
  const text = error instanceof Error ? error.message : String(error);
  const bytes = new TextEncoder().encode(text).subarray(0, ERROR_TEXT_BYTES);
  new Uint8Array(words.buffer, Word.errorText * 4, ERROR_TEXT_BYTES).set(bytes);
  words[Word.errorStep] = step;
  words[Word.errorPart] = part;
  words[Word.errorBytes] = bytes.byteLength;
  Atomics.store(words, Word.claim, POISON);
  Atomics.notify(words, Word.claim);
  Atomics.store(words, Word.status, Status.failed);
  tell(words, Word.finished);
}
