import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvents } from "./events.ts";

function inPieces(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
}

const STREAM = ': ping\n\ndata: {"text":"量"}\n\nevent: x\ndata: {"text":"b\\n"}\n\n: ping\n\ndata: {"text":"🙂"}\n\n';

test("events come whole however the bytes are cut, also inside a character", async () => {
  for (const size of [1, 2, 3, 5, 7, 1000]) {
    const texts: string[] = [];
    for await (const event of readEvents<{ text: string }>(inPieces(STREAM, size))) texts.push(event.text);
    assert.deepEqual(texts, ["量", "b\n", "🙂"]);
  }
});

test("carriage returns and a missing last empty line are taken as well", async () => {
  const events: unknown[] = [];
  for await (const event of readEvents(inPieces('data: {"a":1}\r\n\r\ndata: {"a":2}', 4))) events.push(event);
  assert.deepEqual(events, [{ a: 1 }, { a: 2 }]);
});

test("data that is no JSON is an error, not a silence", async () => {
  await assert.rejects(readEvents(inPieces("data: nonsense\n\n", 3)).next(), SyntaxError);
});

test("leaving early closes the stream", async () => {
  let closed = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: {"a":1}\n\n')),
    cancel: () => {
      closed = true;
    },
  });
  for await (const event of readEvents(endless)) {
    assert.deepEqual(event, { a: 1 });
    break;
  }
  assert.ok(closed);
});
