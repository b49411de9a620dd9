// A value that changes faster than some readers read: a reader always gets the newest one, never a queue of old ones.

export interface Signalled<T> {
  set(value: T): void;
  /** No further value comes; readers end after the newest one. */
  end(): void;
  /** The newest value now (if there is one) and after each change, until the end. Any number of readers. */
  values(): AsyncGenerator<T>;
}

/** Makes one with no value yet. */
export function createSignalled<T>(): Signalled<T> {
  let current: { value: T } | undefined;
  let isEnded = false;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  return {
    set(value) {
      current = { value };
      wake();
    },
    end() {
      isEnded = true;
      wake();
    },
    async *values() {
      let seen: { value: T } | undefined;
      for (;;) {
        if (current !== undefined && current !== seen) {
          seen = current;
          yield seen.value;
        } else if (isEnded) return;
        else await changed.promise;
      }
    },
  };
}
