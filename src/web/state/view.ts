// Which of the page's views is on show: conversations, or the runs of training. The address says it ("?runs"), so that
// reload, back and forward work.
import { createStore } from "./store.ts";

export type View = "chat" | "runs";

export const viewInAddress = (): View => (new URLSearchParams(location.search).has("runs") ? "runs" : "chat");

export const viewStore = createStore<{ readonly view: View }>({ view: viewInAddress() });

/** Takes the view from the address, after that was changed. */
export function followAddress(): void {
  viewStore.set({ view: viewInAddress() });
}

/** Names of the runs in the address. */
export const runsInAddress = (): string[] =>
  (new URLSearchParams(location.search).get("runs") ?? "").split(",").filter((name) => name !== "");

/** Puts the runs on show into the address; `remember` makes it a step of the browser's history. */
export function showRunsInAddress(names: readonly string[], remember: boolean): void {
  const address = names.length === 0 ? "?runs" : `?runs=${names.map(encodeURIComponent).join(",")}`;
  if (remember) history.pushState(null, "", address);
  else history.replaceState(history.state, "", address);
  followAddress();
}
