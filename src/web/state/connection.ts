// Whether the server answers. One failed request says no; from then on the page asks again by itself until it does, and
// everything that failed meanwhile is asked again.
import { ApiFailure } from "../api/client.ts";
import { createStore } from "./store.ts";

export const connection = createStore<{ reachable: boolean }>({ reachable: true });

const RETRY_MS = 3000;
const waiting = new Set<() => Promise<void>>();
let retry: ReturnType<typeof setTimeout> | undefined;

/** Notes a failure; when the server was not reached, `ask` is called until it succeeds. Other failures pass by. */
export function noteFailure(error: unknown, ask: () => Promise<void>): void {
  if (!(error instanceof ApiFailure) || error.error.code !== "unreachable") return;
  connection.set({ reachable: false });
  waiting.add(ask);
  clearTimeout(retry);
  retry = setTimeout(() => void askAgain(), RETRY_MS);
}

async function askAgain(): Promise<void> {
  for (const ask of Array.from(waiting)) {
    try {
      await ask();
      waiting.delete(ask);
    } catch (error) {
      noteFailure(error, ask);
      return;
    }
  }
  connection.set({ reachable: true });
}
