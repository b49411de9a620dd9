// One loop owns the executor. Each turn: give idle sequences to waiting tasks, in order; run one chunk of one prompt;
// run one row of every task that is past its prompt, eight at most. Who was run goes behind the others, so all get
// their turn. A sequence's length advances only when a run completed, so an abort or a failed run leaves it whole.
//
// A sequence whose ropes have other angles beyond some length (nn/rope-scaling.ts) is read again from its beginning when a
// reply takes it there: every key was turned by the old ones.
//
// Chunks end at fixed positions (multiples of the chunk's rows), and which program computes a row depends on its phase
// only: what a row gives does not depend on company, history or chunking.
import type { OpenModel } from "../device/executor.ts";
import type { Model } from "../models/model.ts";
import { ropeStage } from "../nn/index.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";
import { Slots } from "./cache/slots.ts";
import type { Layout, ProgramName } from "./layout.ts";
import { RowBatch } from "./row-batch.ts";
import type { Task } from "./task.ts";

interface Running {
  readonly task: Task;
  readonly sequence: CachedSequence;
  /** Ids that are read as a prompt, in chunks: the prompt's, or all there were when they had to be read again. */
  given: number;
}

export class Scheduler {
  readonly #layout: Layout;
  readonly #ropes: Model["ropes"];
  readonly #slots: Slots;
  readonly #prompt: RowBatch;
  readonly #decode: RowBatch;
  readonly #everyRow: RowBatch;
  /** Absent: the model reads no source. */
  readonly #source: RowBatch | undefined;
  #waiting: Task[] = [];
  #running: Running[] = [];
  /** What waits to be done while nothing runs. */
  #between: (() => void)[] = [];
  readonly #closing = new AbortController();
  /** Something changed since the loop's turn began. */
  #changed = false;
  /** Set while the loop has nothing to run. */
  #resume: (() => void) | undefined;
  readonly #loop: Promise<void>;

  constructor(model: Model, layout: Layout, { programs }: OpenModel<ProgramName>) {
    this.#layout = layout;
    this.#ropes = model.ropes;
    this.#slots = new Slots(layout);
    this.#prompt = new RowBatch(programs.prompt, model, layout);
    this.#decode = new RowBatch(programs.decode, model, layout);
    this.#everyRow = new RowBatch(programs.everyRow, model, layout);
    this.#source = layout.source && new RowBatch(programs.source, model, layout);
    this.#loop = this.#work();
  }

  /** Queues a task; it must be woken for (`wake`) when it is left or no longer paused. */
  submit(task: Task): void {
    this.#waiting.push(task);
    this.wake();
  }

  /** Does something while no program runs, in the middle of everything else. Rejects with what it throws. */
  async between<T>(action: () => T): Promise<T> {
    this.#closing.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#between.push(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    });
    this.wake();
    return await promise;
  }

  /** Whether rows are to run, now or later, that choose so. */
  isChosen(choice: number): boolean {
    const tasks = [...this.#waiting, ...this.#running.map(({ task }) => task)];
    return tasks.some(({ adapter }) => adapter?.choice === choice);
  }

  /** Something changed that may give the loop work. */
  wake(): void {
    this.#changed = true;
    this.#resume?.();
  }

  /** Fails every task with `error` and resolves when no run is under way. */
  async close(error: unknown): Promise<void> {
    this.#closing.abort(error);
    for (const task of [...this.#waiting, ...this.#running.map(({ task }) => task)]) task.fail(error);
    this.wake();
    await this.#loop;
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#changed = false;
      this.#dropLeft();
      for (const action of this.#between.splice(0)) action();
      if (this.#closing.signal.aborted) return;
      await this.#admit();
      const prefilling = this.#ready(true).at(0);
      if (prefilling !== undefined) await this.#runChunk(prefilling);
      const decoding = this.#ready(false).slice(0, this.#layout.decodeRows);
      if (decoding.length > 0) await this.#runDecode(decoding);
      if (prefilling === undefined && decoding.length === 0) await this.#sleep();
    }
  }

  #ready(prefilling: boolean): Running[] {
    return this.#running.filter(({ task, sequence, given }) => {
      return sequence.length < given === prefilling && !task.paused && !task.left.aborted;
    });
  }

  async #admit(): Promise<void> {
    while (this.#waiting.length > 0 && this.#slots.idle > 0) {
      const task = this.#waiting.shift() as Task;
      let sequence: CachedSequence;
      try {
        sequence = this.#slots.acquire(task, ropeStage(this.#ropes, task.prompt.length));
      } catch (error) {
        task.fail(error); // else it would end the loop, and with it every other task
        continue;
      }
      await this.#attempt([{ task, sequence, given: task.prompt.length }], () => task.start(sequence));
    }
  }

  /** After its logits were taken: a task goes on with `more`, at other angles from its beginning, or it is over. */
  #follow(one: Running, more: boolean): void {
    const { task, sequence } = one;
    if (!more) {
      this.#release(one);
      return;
    }
    const length = sequence.length + 1;
    const stage = ropeStage(this.#ropes, length);
    if (stage === sequence.ropeStage) return;
    sequence.clear();
    sequence.ropeStage = stage;
    sequence.anchor(task.prompt.length);
    one.given = length;
  }

  async #runChunk(one: Running): Promise<void> {
    const { task, sequence, given } = one;
    const from = sequence.length;
    // the first row is run with the source that it looks at
    const source = from === 0 ? this.#source : undefined;
    const [batch, grid] = task.everyRow
      ? [this.#everyRow, this.#layout.outputRows]
      : [this.#prompt, this.#layout.chunkRows];
    const end = source === undefined ? Math.min(given, (Math.floor(from / grid) + 1) * grid) : 1;
    await this.#runRows(one, source ?? batch, end);
  }

  /** Runs a prompt's rows up to `end`. */
  async #runRows(one: Running, batch: RowBatch, end: number): Promise<void> {
    const { task, sequence, given } = one;
    const from = sequence.length;
    const last = end === given;
    const outputs = task.everyRow ? end - from : Number(last);
    await this.#attempt([one], async () => {
      sequence.reserve(end - from);
      batch.clear();
      batch.add(sequence, end - from, outputs);
      if (batch === this.#source) batch.addSource(sequence);
      await batch.run(task.left);
      sequence.advance(end - from);
      if (given === task.prompt.length) task.progress(end);
      let more = true;
      for (let i = 0; i < outputs; i++) {
        more = task.take(batch.logits(i), end - outputs + i, batch.peaks(i));
      }
      if (last) this.#follow(one, more);
    });
  }

  async #runDecode(list: readonly Running[]): Promise<void> {
    await this.#attempt(list, async () => {
      this.#decode.clear();
      for (const { sequence } of list) {
        sequence.reserve(1);
        this.#decode.add(sequence, 1, 1);
      }
      // who leaves a shared run waits for its end; alone, it ends the run
      await this.#decode.run(list.length === 1 ? list[0].task.left : this.#closing.signal);
      for (const { sequence } of list) sequence.advance(1);
    });
    for (const [i, one] of list.entries()) {
      if (!this.#running.includes(one)) continue; // the run failed
      await this.#attempt([one], () => {
        const more = one.task.take(this.#decode.logits(i), one.sequence.length - 1, this.#decode.peaks(i));
        this.#follow(one, more);
      });
    }
  }

  /** Does something for `involved`, who go behind the others; if it fails, they do. */
  async #attempt(involved: readonly Running[], action: () => Promise<void> | void): Promise<void> {
    this.#running = [...this.#running.filter((one) => !involved.includes(one)), ...involved];
    try {
      await action();
    } catch (error) {
      for (const one of involved) {
        one.task.fail(error); // nobody hears it if the task was left, as when an abort ended the run
        this.#release(one);
      }
    }
  }

  #dropLeft(): void {
    this.#waiting = this.#waiting.filter((task) => !task.left.aborted);
    for (const one of this.#running.filter(({ task }) => task.left.aborted)) this.#release(one);
  }

  #release(one: Running): void {
    this.#running = this.#running.filter((other) => other !== one);
    this.#slots.release(one.sequence);
  }

  async #sleep(): Promise<void> {
    if (this.#changed) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    this.#resume = undefined;
  }
}
