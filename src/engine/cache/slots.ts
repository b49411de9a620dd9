// The sequences that keep their keys and values: which one a new prompt gets, and how much of it is already there.
// A prompt continues the idle sequence that shares most with it if the two are plainly one conversation: they share
// half of it, or all up to one of its anchors. Otherwise it takes the sequence that was used least recently and forks
// what can be shared, in whole pages, so that a conversation with the same beginning does not lose its end.
// Not here: waiting for a sequence to be idle (scheduler.ts).
import { type Layout, ROLLBACK_ROWS } from "../layout.ts";
import type { Task } from "../task.ts";
import { CachedSequence } from "./cached-sequence.ts";
import { PagePool } from "./page-pool.ts";

interface Source {
  readonly sequence: CachedSequence;
  readonly reusable: number;
}

export class Slots {
  readonly #layout: Layout;
  /** Least recently used first. */
  readonly #idle: CachedSequence[];
  readonly #busy = new Set<CachedSequence>();

  constructor(layout: Layout) {
    this.#layout = layout;
    const groups = layout.source === undefined ? layout.groups : [...layout.groups, layout.source];
    const pools = groups.map(({ pages }) => new PagePool(pages, () => this.#forgetAnchors()));
    this.#idle = Array.from({ length: layout.slots }, () => new CachedSequence(layout, pools));
  }

  get idle(): number {
    return this.#idle.length;
  }

  /**
   * An idle sequence for a task's prompt, taken back to what of it is reusable (its `length`) with all ids in place. At
   * least the last id is left to run, since it gives the logits. `reuse` false: it begins empty. What was made with another
   * adapter, of another source, or at another stage of the ropes, is of no use.
   */
  acquire(task: Pick<Task, "prompt" | "reuse" | "adapter" | "source">, ropeStage = 0): CachedSequence {
    const { prompt: ids, reuse, adapter, source } = task;
    const isAlike = (sequence: CachedSequence): boolean =>
      sequence.adapter === adapter && sequence.ropeStage === ropeStage && sequence.hasSource(source);
    const sequence = reuse ? this.#best(ids, isAlike) : this.#oldest();
    if (!reuse) sequence.clear();
    sequence.adapter = adapter;
    sequence.source = source;
    sequence.ropeStage = ropeStage;
    sequence.ids.set(ids);
    sequence.anchor(ids.length);
    // last: what threw before has taken no sequence away
    this.#idle.splice(this.#idle.indexOf(sequence), 1);
    this.#busy.add(sequence);
    return sequence;
  }

  /** The sequence is idle from now on and keeps what it has. */
  release(sequence: CachedSequence): void {
    this.#busy.delete(sequence);
    if (sequence.length === 0) this.#idle.unshift(sequence);
    else this.#idle.push(sequence);
  }

  /** One sequence gives up what only its anchors keep; false: none had any. */
  #forgetAnchors(): boolean {
    return [...this.#idle, ...this.#busy].some((sequence) => sequence.dropAnchors());
  }

  #best(ids: Int32Array, isAlike: (sequence: CachedSequence) => boolean): CachedSequence {
    const idle = this.#idle.filter(isAlike);
    const own = this.#longest(idle, ids, 1);
    const shared = this.#longest([...idle, ...[...this.#busy].filter(isAlike)], ids, this.#layout.pageSize);
    const oldest = this.#oldest();
    if (
      own !== undefined &&
      (own.sequence === oldest || isOneConversation(own)) &&
      own.reusable >= (shared?.reusable ?? 0)
    ) {
      own.sequence.rollback(own.reusable);
      return own.sequence;
    }
    if (shared === undefined) {
      oldest.clear();
    } else if (shared.sequence === oldest) {
      oldest.rollback(shared.reusable);
    } else {
      oldest.fork(shared.sequence, shared.reusable);
    }
    return oldest;
  }

  /** Of those that share anything reusable, the one that shares most, the most recently used of equals. */
  #longest(sequences: readonly CachedSequence[], ids: Int32Array, step: number): Source | undefined {
    let best: Source | undefined;
    for (const sequence of sequences) {
      const reusable = sequence.reusable(Math.min(sequence.sharedLength(ids), ids.length - 1), step);
      if (reusable > 0 && reusable >= (best?.reusable ?? 0)) best = { sequence, reusable };
    }
    return best;
  }

  /** Empty ones come first; they are kept at the front. */
  #oldest(): CachedSequence {
    return this.#idle[0];
  }
}

function isOneConversation({ sequence, reusable }: Source): boolean {
  const turn = Math.min(...sequence.anchors) - ROLLBACK_ROWS;
  return reusable >= turn || 2 * reusable >= sequence.length;
}
