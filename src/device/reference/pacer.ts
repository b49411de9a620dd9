// Gives way to the event loop every few milliseconds, and ends a run whose signal was aborted.
import type { Pacer } from "./evaluation.ts";

/** An abort is to be heard within 50 ms; one row of the widest weight takes far less than the rest. */
const PACE_MS = 20;

export function createPacer(signal: AbortSignal | undefined): Pacer {
  let last = performance.now();
  return {
    due: () => performance.now() - last > PACE_MS,
    async giveWay() {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      last = performance.now();
    },
  };
}
