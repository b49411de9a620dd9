// Watches one part of a store: the component draws again when that part is another object or value.
import { useSyncExternalStore } from "react";
import type { Store } from "../state/store.ts";

/** `select` must give the same object for the same state: pick, never build. */
export function useStore<Value extends object, Part>(store: Store<Value>, select: (value: Value) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
