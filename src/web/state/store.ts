// A value that components watch: get, set, subscribe. Everything the page knows lies in a handful of these.
export interface Store<Value extends object> {
  readonly get: () => Value;
  /** Puts the given fields over the present ones. */
  readonly set: (change: Partial<Value> | ((present: Value) => Partial<Value>)) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

export function createStore<Value extends object>(initial: Value): Store<Value> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(change) {
      value = { ...value, ...(typeof change === "function" ? change(value) : change) };
      for (const listener of Array.from(listeners)) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
