// Requests as messages: pieces become a Response, leaving tells the worker, and a worker that is gone fails all that waits.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { ToPage, ToWorker } from "./protocol.ts";
import { startOwnWorker } from "./worker-link.ts";

type Listener = (event: { data?: ToPage; message?: string }) => void;

/** In place of the browser's class: what the page said, and a way to answer. */
class FakeWorker {
  static latest: FakeWorker;
  readonly said: unknown[] = [];
  readonly #listeners = new Map<string, Listener>();
  constructor() {
    FakeWorker.latest = this;
  }
  postMessage(message: unknown): void {
    this.said.push(message);
  }
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }
  answer(...messages: ToPage[]): void {
    for (const data of messages) this.#listeners.get("message")?.({ data });
  }
  die(message: string): void {
    this.#listeners.get("error")?.({ message });
  }
}
Object.assign(globalThis, { Worker: FakeWorker });

const changes: unknown[] = [];
const begin = { contents: { conversations: [], settings: {} }, builtIn: [] };
let link: ReturnType<typeof startOwnWorker>;
let worker: FakeWorker;
beforeEach(() => {
  changes.length = 0;
  link = startOwnWorker(begin, (change) => changes.push(change));
  worker = FakeWorker.latest;
});
const bytes = (text: string) => new TextEncoder().encode(text);
const lastRequest = () => worker.said.at(-1) as ToWorker & { type: "request" };

test("the first message is what the worker begins with; a request carries method, headers and body", () => {
  assert.deepEqual(worker.said[0], begin);
  void link.send("/api/x", { method: "PUT", headers: { "content-type": "application/json" }, body: "{}" });
  const { path, method, headers, body } = lastRequest();
  assert.deepEqual([path, method, headers, body], ["/api/x", "PUT", [["content-type", "application/json"]], "{}"]);
});

test("pieces of two answers that come mixed become two responses", async () => {
  const [one, two] = [link.send("/api/1", {}), link.send("/api/2", {})];
  const [, { id: a }, { id: b }] = worker.said as ToWorker[];
  worker.answer(
    { type: "head", id: b, status: 404, contentType: "text/plain" },
    { type: "head", id: a, status: 200, contentType: "application/json" },
    { type: "chunk", id: a, bytes: bytes('{"n":') },
    { type: "chunk", id: b, bytes: bytes("none") },
    { type: "chunk", id: a, bytes: bytes("1}") },
    { type: "end", id: b },
    { type: "end", id: a },
  );
  assert.deepEqual(await (await one).json(), { n: 1 });
  const response = await two;
  assert.deepEqual([response.status, await response.text()], [404, "none"]);
});

test("an abort before and amid the answer tells the worker, and rejects who reads", async () => {
  const abort = new AbortController();
  const early = link.send("/api/1", { signal: abort.signal });
  const late = link.send("/api/2", { signal: abort.signal });
  const [, { id: a }, { id: b }] = worker.said as ToWorker[];
  worker.answer({ type: "head", id: b, status: 200, contentType: "" }, { type: "chunk", id: b, bytes: bytes("x") });
  const response = await late;
  abort.abort();
  await assert.rejects(early, { name: "AbortError" });
  await assert.rejects(response.text(), { name: "AbortError" });
  assert.deepEqual(worker.said.slice(-2), [
    { type: "leave", id: a },
    { type: "leave", id: b },
  ]);
});

test("a reader that leaves tells the worker", async () => {
  const asked = link.send("/api/1", {});
  const { id } = lastRequest();
  worker.answer({ type: "head", id, status: 200, contentType: "" });
  await (await asked).body?.cancel();
  assert.deepEqual(worker.said.at(-1), { type: "leave", id });
});

test("an answer that breaks off fails its reader", async () => {
  const asked = link.send("/api/1", {});
  const { id } = lastRequest();
  worker.answer({ type: "head", id, status: 200, contentType: "" }, { type: "end", id, reason: "broken" });
  await assert.rejects((await asked).text(), /broken/);
});

test("opened files give the model's name; changes are handed on", async () => {
  const opened = link.open([]);
  const { id } = worker.said.at(-1) as ToWorker;
  const change = { kind: "setting", key: "k", value: 1 } as const;
  worker.answer({ type: "change", change }, { type: "opened", id, name: "gemma" });
  assert.equal(await opened, "gemma");
  assert.deepEqual(changes, [change]);
});

test("when the worker ends, what waits and what comes later fails with a code of its own", async () => {
  const waiting = link.send("/api/1", {});
  worker.die("out of memory");
  const gone = { name: "ApiFailure", message: "out of memory" };
  await assert.rejects(waiting, gone);
  await assert.rejects(link.send("/api/2", {}), gone);
  await assert.rejects(link.open([]), gone);
});
