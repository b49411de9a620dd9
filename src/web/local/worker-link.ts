// The page's side of its worker: requests become messages, and the pieces of their answers a Response again.
import { ApiFailure } from "../api/client.ts";
import type { Transport } from "../api/transport.ts";
import type { Begin, ToPage, ToWorker } from "./protocol.ts";

export interface WorkerLink {
  /** As fetch. Rejects when the worker is gone. */
  readonly send: Transport;
  /** Puts a model's files on the list and gives its name there. */
  readonly open: (files: readonly File[]) => Promise<string>;
}

/** What waits for messages that carry its number. */
interface Waiting {
  readonly heard: (message: ToPage) => void;
  readonly failed: (error: Error) => void;
}

export function startOwnWorker(
  begin: Begin,
  onChange: (change: (ToPage & { type: "change" })["change"]) => void,
): WorkerLink {
  // By this name the platform's body for browsers knows that its data comes as the first message.
  const worker = new Worker(new URL("./worker/main.ts", import.meta.url), { type: "module", name: "liang page" });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let death: Error | undefined;
  const say = (message: ToWorker | Begin): void => worker.postMessage(message, []);
  worker.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
    if (data.type === "change") onChange(data.change);
    else if (data.type === "log")
      console.error(data.text); // oxlint-disable-line no-console -- the page's only log
    else waiting.get(data.id)?.heard(data);
  });
  worker.addEventListener("error", ({ message }) => {
    const facts = { type: "server_error", code: "worker_ended", param: null };
    death = new ApiFailure({ message: message || "The page's worker could not be loaded.", ...facts }, 0);
    for (const { failed } of waiting.values()) failed(death);
    waiting.clear();
  });
  say(begin);

  /** Listens for a number of its own. Rejects at once when the worker is gone. */
  function listen(to: Waiting): number {
    const id = ++lastId;
    if (death === undefined) waiting.set(id, to);
    else to.failed(death);
    return id;
  }

  return {
    open: (files) =>
      new Promise((resolve, reject) => {
        const id = listen({
          failed: reject,
          heard(message) {
            waiting.delete(id);
            if (message.type === "opened") resolve(message.name);
          },
        });
        say({ type: "open", id, files });
      }),

    send: (path, { method = "GET", headers, body, signal }) =>
      new Promise((resolve, reject) => {
        let pieces: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
        let left = false;
        const leave = (): void => {
          if (left) return;
          left = true;
          waiting.delete(id);
          say({ type: "leave", id });
        };
        const failed = (error: unknown): void => {
          reject(error);
          if (!left) pieces?.error(error);
        };
        const id = listen({
          failed,
          heard(message) {
            if (message.type === "head") {
              const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
                start: (controller) => void (pieces = controller),
                cancel: leave,
              });
              const { status, contentType } = message;
              resolve(new Response(stream, { status, headers: { "content-type": contentType } }));
            } else if (message.type === "chunk") pieces?.enqueue(message.bytes);
            else if (message.type === "end") {
              waiting.delete(id);
              if (message.reason !== undefined) failed(new Error(message.reason));
              else pieces?.close();
            }
          },
        });
        signal?.addEventListener("abort", () => {
          failed(signal.reason);
          leave();
        });
        const given = [...new Headers(headers)].map(([name, value]): [string, string] => [name, value]);
        say({ type: "request", id, path, method, headers: given, body: body as string | undefined });
      }),
  };
}
