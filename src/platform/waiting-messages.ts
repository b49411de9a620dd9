// Messages that come before anybody listens: kept until the first handler, then each goes to every handler.

export interface WaitingMessages<T> {
  readonly receive: (message: T) => void;
  readonly onMessage: (handler: (message: T) => void) => void;
}

export function waitingMessages<T>(): WaitingMessages<T> {
  const handlers: ((message: T) => void)[] = [];
  const waiting: T[] = [];
  return {
    receive(message) {
      if (handlers.length === 0) waiting.push(message);
      for (const handler of handlers) handler(message);
    },
    onMessage(handler) {
      handlers.push(handler);
      for (const message of waiting.splice(0)) handler(message);
    },
  };
}
