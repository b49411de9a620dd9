// The page's own server: the server's app in a worker, with models from files, conversations in memory that the page
// keeps, and requests that come as messages. Not here: sockets (src/server/serve.ts), what is kept (../keep.ts).
import { currentWorker } from "#platform";
import { createApp } from "../../../server/app.ts";
import { createMemoryStorage } from "../../../store/memory.ts";
import type { Begin, ToPage, ToWorker } from "../protocol.ts";
import { PageModels } from "./models.ts";

const page = currentWorker()!;
const { contents, builtIn } = page.data as Begin;
const say = (message: ToPage, transfer: readonly ArrayBuffer[] = []): void => page.post(message, transfer);
const models = new PageModels(builtIn);
const app = createApp({
  models,
  load: (path, options) => models.load(path, options),
  storage: createMemoryStorage({ contents, onChange: (change) => say({ type: "change", change }) }),
  page: { read: async () => undefined },
  access: { loopback: false, origins: [] }, // nobody but the page reaches a worker
  version: "",
  dataFolder: "",
  log: (error) => say({ type: "log", text: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
});

/** Answers that are on their way, by the request's id. */
const answering = new Map<number, AbortController>();

async function answer({ id, path, method, headers, body }: ToWorker & { type: "request" }): Promise<void> {
  const leave = new AbortController();
  answering.set(id, leave);
  try {
    const request = new Request(`http://page${path}`, {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      signal: leave.signal,
      ...(body !== undefined && { body }),
    });
    const response = await app.fetch(request);
    say({ type: "head", id, status: response.status, contentType: response.headers.get("content-type") ?? "" });
    for await (const chunk of response.body ?? []) {
      if (leave.signal.aborted) break; // leaving the loop cancels the stream
      const bytes = Uint8Array.from(chunk);
      say({ type: "chunk", id, bytes }, [bytes.buffer]);
    }
    say({ type: "end", id });
  } catch (error) {
    say({ type: "end", id, reason: String(error) });
  } finally {
    answering.delete(id);
  }
}

page.onMessage((data) => {
  const message = data as ToWorker;
  if (message.type === "request") void answer(message);
  else if (message.type === "leave") answering.get(message.id)?.abort();
  else say({ type: "opened", id: message.id, name: models.open(message.files) });
});
