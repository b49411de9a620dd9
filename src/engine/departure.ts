// The moment from which nobody waits for a task any more: it is over, its caller aborted, or its reader went away.
// Happens once; tells the scheduler, which lets go of the task's sequence.

export class Departure {
  readonly #controller = new AbortController();
  readonly #outside: AbortSignal | undefined;
  readonly #onLeave: () => void;
  readonly #onAbort: () => void;

  /** `aborted` is called with the reason when `outside` aborts first. Throws that reason if it already has. */
  constructor(outside: AbortSignal | undefined, aborted: (reason: unknown) => void, onLeave: () => void) {
    outside?.throwIfAborted();
    this.#outside = outside;
    this.#onLeave = onLeave;
    this.#onAbort = () => aborted(outside?.reason);
    outside?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  leave(): void {
    if (this.signal.aborted) return;
    this.#outside?.removeEventListener("abort", this.#onAbort);
    this.#controller.abort();
    this.#onLeave();
  }
}
