// Whether the server answers. One failed request says no; from then on the page asks again by itself until it does.
import { ApiFailure } from "../api/client.ts";
import { createStore } from "./store.ts";

export const connection = createStore<{ reachable: boolean }>({ reachable: true });

const RETRY_MS = 3000;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Notes a failure; when the server was not reached, `ask` is called until it succeeds. Other failures pass by. */
export function noteFailure(error: unknown, ask: () => Promise<void>): void {
  if (!(error instanceof ApiFailure) || error.error.code !== "unreachable") return;
  connection.set({ reachable: false });
  clearTimeout(retry);
  retry = setTimeout(() => void askAgain(ask), RETRY_MS);
}

async function askAgain(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
    connection.set({ reachable: true });
  } catch (error) {
    noteFailure(error, ask);
  }
}
