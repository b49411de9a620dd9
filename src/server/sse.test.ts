import assert from "node:assert/strict";
import { test } from "node:test";
import { afterFirst, holding, sseResponse, type SseData } from "./sse.ts";

const onError = (error: unknown) => ({ error: (error as Error).message });
/** Plays steps: a number waits so many milliseconds, an error is thrown, the rest are events. */
async function* play(...steps: (SseData | number)[]): AsyncGenerator<SseData> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    if (typeof step === "number") await new Promise((resolve) => setTimeout(resolve, step));
    else yield step;
  }
}

test("objects go out as JSON and texts as they are, each with a blank line", async () => {
  const response = sseResponse(play({ a: "é\n" }, "[DONE]"), { onError });
  assert.equal(await response.text(), 'data: {"a":"é\\n"}\n\ndata: [DONE]\n\n');
});

test("what the events throw is the last event", async () => {
  assert.equal(
    await sseResponse(play({ n: 1 }, new Error("boom")), { onError }).text(),
    'data: {"n":1}\n\ndata: {"error":"boom"}\n\n',
  );
});

test("while nothing comes, pings do, and no event is lost", async () => {
  const text = await sseResponse(play(35, { n: 1 }), { onError, pingMs: 10 }).text();
  assert.match(text, /^(: ping\n\n)+data: \{"n":1\}\n\n$/);
});

test("a slow reader pauses the events: they are made one by one as they are read", async () => {
  let made = 0;
  async function* counting(): AsyncGenerator<SseData> {
    for (; made < 1000; made++) yield { made };
  }
  const reader = sseResponse(counting(), { onError }).body!.getReader();
  await reader.read();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(made < 5, `${made} were made`);
  await reader.cancel();
});

test("a reader that leaves aborts, closes the events and disposes what they hold, also while they wait", async () => {
  const abort = new AbortController();
  let isDisposed = false;
  async function* waiting(): AsyncGenerator<SseData> {
    yield { n: 1 };
    await new Promise((_, reject) => abort.signal.addEventListener("abort", () => reject(new Error("aborted"))));
  }
  const owned = { [Symbol.dispose]: () => void (isDisposed = true) };
  const reader = sseResponse(holding(owned, waiting()), { onError, abort: () => abort.abort() }).body!.getReader();
  await reader.read();
  const second = reader.read();
  await reader.cancel();
  await second;
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(abort.signal.aborted && isDisposed);
});

test("a reader that stops reading but stays is given up after a time; one that waits for events is not", async () => {
  const abort = new AbortController();
  let isDisposed = false;
  const owned = { [Symbol.dispose]: () => void (isDisposed = true) };
  const reader = sseResponse(holding(owned, play(60, "1", "2", "3")), {
    onError,
    abort: () => abort.abort(),
    stallMs: 30,
  }).body!.getReader();
  await reader.read();
  assert.equal(abort.signal.aborted, false, "60 ms without an event are not the reader's fault");
  await new Promise((resolve) => setTimeout(resolve, 90));
  assert.ok(abort.signal.aborted && isDisposed);
  await assert.rejects(reader.read(), /asked for nothing during 0.03 seconds/);
});

test("a response that nobody ever reads is given up too", async () => {
  const abort = new AbortController();
  const response = sseResponse(play("1"), { onError, abort: () => abort.abort(), stallMs: 5 });
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.ok(abort.signal.aborted);
  await assert.rejects(response.text());
});

test("afterFirst rejects with what comes before the first event, and gives all events once", async () => {
  await assert.rejects(afterFirst(play(new Error("early"), "late"), new AbortController().signal), /early/);
  const seen: SseData[] = [];
  for await (const event of await afterFirst(play("1", "2", "3"), new AbortController().signal)) seen.push(event);
  assert.deepEqual(seen, ["1", "2", "3"]);
});
