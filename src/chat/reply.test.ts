import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeEngine, tinyTokenizer } from "../../test/chat/fakes.ts";
import { isAbort } from "../base/errors.ts";
import { uniform } from "../base/random.ts";
import { streamReply } from "./reply.ts";
import type { GenerateOptions, ReplyEvent } from "./types.ts";

const tokenizer = tinyTokenizer();
const [START, END, TOOL] = ["<|im_start|>", "<|im_end|>", "<tool_call>"].map((text) => tokenizer.idOf(text)!);
/** One id a byte, also of characters of several bytes. */
const ids = (text: string): number[] => {
  const byByte = new Map<number, number>();
  for (let id = 0; id < 256; id++) byByte.set(tokenizer.tokenBytes(id)[0], id);
  return Array.from(new TextEncoder().encode(text), (byte) => byByte.get(byte)!);
};

async function collect(script: readonly number[], options: GenerateOptions = {}) {
  const engine = fakeEngine(script);
  const events: ReplyEvent[] = [];
  const source = { engine, tokenizer, endIds: new Set([END]), defaults: {} };
  for await (const event of streamReply(source, [1, 2], options)) events.push(event);
  const deltas = events.filter((event) => event.type === "text-delta");
  const end = events.at(-1);
  assert.ok(end?.type === "end");
  assert.deepEqual(
    deltas.flatMap((delta) => delta.ids),
    end.ids,
  );
  return { engine, events, deltas, end, text: deltas.map((delta) => delta.text).join("") };
}

test("events come in order: prefill, text-start, text-delta, text-end, end", async () => {
  const { events } = await collect([...ids("hi"), END, ...ids("never")]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["prefill", "prefill", "text-start", "text-delta", "text-delta", "text-end", "end"],
  );
});

test("beams that the files recommend are asked for, without a draw", async () => {
  const engine = fakeEngine([...ids("hi"), END]);
  const source = { engine, tokenizer, endIds: new Set([END]), defaults: { beams: 3, temperature: 0.7 } };
  for await (const _ of streamReply(source, [1, 2], {}));
  for await (const _ of streamReply(source, [1, 2], { temperature: 0.7 }));
  const [found, drawn] = engine.requests;
  assert.deepEqual(found.beams, { count: 3, lengthPenalty: 1, earlyStopping: false });
  assert.equal(found.sampling!.temperature, 0);
  assert.deepEqual([drawn.beams, drawn.sampling!.temperature], [undefined, 0.7]);
});

test("text-start tells what the reply begins from, for whoever stops it before its end", async () => {
  const { events, end } = await collect([...ids("hi"), END]);
  const start = events.find(({ type }) => type === "text-start");
  assert.deepEqual(start, { type: "text-start", promptTokens: 2, cachedTokens: 0, seed: end.seed });
});

test("an end id ends the reply, is no text and counts for nothing", async () => {
  const { end, text } = await collect([...ids("hi"), END, ...ids("never")]);
  assert.equal(text, "hi");
  assert.equal(end.finishReason, "stop");
  assert.deepEqual(end.usage, { promptTokens: 2, cachedTokens: 0, completionTokens: 2 });
  assert.deepEqual(end.promptIds, [1, 2]);
});

test("ignoreEnd goes on behind an end id, whose text stays hidden", async () => {
  const { end, text } = await collect([...ids("a"), END, ...ids("b")], { ignoreEnd: true });
  assert.equal(text, "ab");
  assert.equal(end.usage.completionTokens, 3);
  assert.equal(end.finishReason, "length");
});

test("a character of several tokens comes whole, with all of their ids", async () => {
  const { deltas } = await collect(ids("a量b"));
  assert.deepEqual(
    deltas.map(({ text, ids: { length } }) => [text, length]),
    [
      ["a", 1],
      ["量", 3],
      ["b", 1],
    ],
  );
});

test("a reply that ends inside of a character ends with U+FFFD and keeps the ids", async () => {
  const { text, end } = await collect(ids("a量").slice(0, -1));
  assert.equal(text, "a\ufffd");
  assert.equal(end.usage.completionTokens, 3);
});

test("control tokens are no text, user-defined ones are", async () => {
  const { text, end } = await collect([START, TOOL, ...ids("x")]);
  assert.equal(text, "<tool_call>x");
  assert.deepEqual(end.ids.slice(0, 2), [START, TOOL]);
});

test("an id beyond the vocabulary, which padded models have, is no text", async () => {
  const beyond = tokenizer.vocabularySize + 3;
  const { text, end } = await collect([...ids("a"), beyond, ...ids("b")], { logprobs: 0 });
  assert.equal(text, "ab");
  assert.equal(end.ids[1], beyond);
});

test("a stop string over several tokens is taken out of text, ids and usage, and the engine stops", async () => {
  const script = ids("one\nUser: two and much more");
  const { text, end, engine } = await collect(script, { stop: ["\nUser:"] });
  assert.equal(text, "one");
  assert.deepEqual(end.ids, ids("one"));
  assert.deepEqual([end.finishReason, end.stopString, end.usage.completionTokens], ["stop", "\nUser:", 3]);
  assert.equal(engine.emitted, "one\nUser:".length);
});

test("a reply of nothing but a stop string has no text and no tokens", async () => {
  const { events, end } = await collect(ids("END"), { stop: ["END"] });
  assert.equal(
    events.some(({ type }) => type === "text-delta"),
    false,
  );
  assert.equal(
    events.some(({ type }) => type === "text-start"),
    true,
  );
  assert.equal(end.usage.completionTokens, 0);
});

test("the start of a stop string that never comes is text after all", async () => {
  const { text } = await collect(ids("ab<en"), { stop: ["<end>"] });
  assert.equal(text, "ab<en");
});

test("maxTokens ends with length", async () => {
  const { text, end } = await collect(ids("abcdef"), { maxTokens: 3 });
  assert.deepEqual([text, end.finishReason], ["abc", "length"]);
});

test("log-probabilities carry the token's bytes, also those that are no character", async () => {
  const { deltas } = await collect(ids("é"), { logprobs: 1 });
  const [first, second] = deltas[0].logprobs!;
  assert.deepEqual(first.bytes, [0xc3]);
  assert.equal(first.token, "\ufffd");
  assert.deepEqual(second.bytes, [0xa9]);
  assert.equal(second.top[0].id, second.id);
  assert.equal(first.logprob, -0.5);
});

test("the seed is the caller's, else drawn and told", async () => {
  assert.equal((await collect(ids("a"), { seed: 7 })).end.seed, 7);
  const { end, engine } = await collect(ids("a"));
  assert.equal(engine.requests[0].sampling?.seed, end.seed);
  assert.ok(Number.isSafeInteger(end.seed));
});

test("an abort rejects with AbortError", async () => {
  const controller = new AbortController();
  const source = { engine: fakeEngine(ids("abc")), tokenizer, endIds: new Set<number>(), defaults: {} };
  await assert.rejects(async () => {
    for await (const event of streamReply(source, [1], { signal: controller.signal })) {
      if (event.type === "text-delta") controller.abort();
    }
  }, isAbort);
});

test("tokens cut anywhere, with or without a stop string, give the same text (500 seeded cases)", async () => {
  const alphabet = ["a", "b", "<", "量", "é", "😀"];
  for (let round = 0; round < 500; round++) {
    let draws = 0;
    const draw = (below: number): number => Math.floor(uniform(round, 2, draws++) * below);
    const word = (length: number): string => Array.from({ length }, () => alphabet[draw(alphabet.length)]).join("");
    const whole = word(draw(12));
    const stop = [word(1 + draw(3)), word(1 + draw(2))];
    const options = draw(2) === 0 ? {} : { stop };
    const { text, end } = await collect(ids(whole), options);
    const cuts = stop.map((one) => whole.indexOf(one)).map((at, i) => (at < 0 ? Infinity : at + stop[i].length));
    const first = Math.min(...("stop" in options ? cuts : [Infinity]));
    // of stop strings complete at the same place, the longest
    const longest = Math.max(0, ...stop.filter((_, i) => cuts[i] === first).map((one) => one.length));
    assert.equal(text, first === Infinity ? whole : whole.slice(0, first - longest));
    assert.equal(tokenizer.decode(end.ids), text);
  }
});
