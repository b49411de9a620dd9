// Server-Sent Events out of an async iterable. The stream is pulled: a slow reader pauses what feeds it. While nothing
// comes a comment goes out now and then, so that proxies and clients keep the line open. A reader that stops reading but
// stays connected is given up. Not here: what the events are.

// Shorter than the idle limits of common proxies (30 and 60 seconds).
const PING_MS = 15_000;

// What feeds a stream holds one of a few places in the engine. A reader that is there asks for more at once, over a bad
// line after some seconds; TCP alone would wait for the dead a quarter of an hour and more.
const STALL_MS = 60_000;

/** Events that are sent as they are ("[DONE]") or as JSON. */
export type SseData = string | object;

export interface SseOptions {
  readonly abort?: () => void;
  readonly onError: (error: unknown) => SseData;
  readonly pingMs?: number;
  readonly stallMs?: number;
}

/**
 * The response that streams `events`. When the reader leaves, `abort` is called and the iterable is closed; what the
 * iterable throws becomes one more event made by `onError`, and the stream ends. A reader that asks for nothing during
 * `stallMs` has left too: its stream breaks off.
 */
export function sseResponse(
  events: AsyncIterable<SseData>,
  { abort, onError, pingMs = PING_MS, stallMs = STALL_MS }: SseOptions,
): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<SseData>> | undefined;
  let stall: ReturnType<typeof setTimeout> | undefined;

  const leave = (): void => {
    clearTimeout(stall);
    abort?.();
    // Not awaited: an iterable that waits for something else ends when that does.
    void iterator.return?.()?.catch(() => undefined);
    pending?.catch(() => undefined);
  };

  /** From now on it is the reader's turn. */
  const awaitReader = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    stall = setTimeout(() => {
      leave();
      controller.error(new Error(`The reader asked for nothing during ${stallMs / 1000} seconds.`));
    }, stallMs);
    // A process that has nothing else to do need not wait for it; in browsers a timer is a number.
    if (typeof stall === "object") stall.unref();
  };

  const stream = new ReadableStream<Uint8Array>(
    {
      start: awaitReader,
      async pull(controller) {
        clearTimeout(stall);
        pending ??= iterator.next();
        try {
          const result = await orTimeout(pending, pingMs);
          if (result !== undefined) pending = undefined;
          if (result?.done === true) {
            controller.close();
            return;
          }
          controller.enqueue(encoder.encode(result === undefined ? ": ping\n\n" : format(result.value)));
          awaitReader(controller);
        } catch (error) {
          controller.enqueue(encoder.encode(format(onError(error))));
          controller.close();
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no", // nginx would hold the stream back
    },
  });
}

function format(data: SseData): string {
  return `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

async function orTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for the first event, so that a failure before it is still an HTTP status; the result gives that event again and
 * then the rest. When `signal` fires, `events` is closed, whether anybody reads on or not: a reader may leave before the
 * first read, and a generator over the result that never started would close nothing.
 */
export async function afterFirst<T>(events: AsyncIterable<T>, signal: AbortSignal): Promise<AsyncIterable<T>> {
  const iterator = events[Symbol.asyncIterator]();
  let first: IteratorResult<T> | undefined = await iterator.next();
  const leave = () => void iterator.return?.().catch(() => undefined);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = first ?? iterator.next();
        first = undefined;
        return result;
      },
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/**
 * A controller that aborts when `signal` does. A request's own signal is aborted by the HTTP server with a text as its
 * reason, which would be thrown; this one's reason is an AbortError.
 */
export function abortWith(signal: AbortSignal): AbortController {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort(), { once: true });
  return controller;
}

/** The same events; `owned` is disposed when they end or are left. */
export async function* holding<T>(owned: Disposable, events: AsyncIterable<T>): AsyncGenerator<T> {
  using _ = owned;
  yield* events;
}
