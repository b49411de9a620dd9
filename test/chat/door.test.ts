// The whole door on the built-in model: files, tokenizer, template, executor, engine, text.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ContextLengthError, isAbort, load, NotFoundError, UsageError } from "../../src/index.ts";
import type { ChatOptions, LanguageModel, Message, Progress, ReplyEvent } from "../../src/index.ts";

const ONCE: Message = { role: "user", content: "Once upon a time" };
type End = Extract<ReplyEvent, { type: "end" }>;

async function collect(reply: AsyncIterable<ReplyEvent>): Promise<{ text: string; end: End; events: ReplyEvent[] }> {
  const events: ReplyEvent[] = [];
  for await (const event of reply) events.push(event);
  const end = events.at(-1);
  assert.ok(end?.type === "end");
  return { text: events.map((event) => (event.type === "text-delta" ? event.text : "")).join(""), end, events };
}

const chat = async (model: LanguageModel, messages: Message[], options: ChatOptions = {}) =>
  await collect(model.chat(messages, { temperature: 0, maxTokens: 24, ...options }));

describe("the door", () => {
  test("both executors tell the same story", async () => {
    const texts: string[] = [];
    for (const executor of ["cpu", "reference"] as const) {
      await using model = await load("stories260k", { executor, window: 64, slots: 1, precision: "f32" });
      assert.equal(model.info.executor, executor);
      const { text, end } = await chat(model, [ONCE]);
      assert.equal(end.ids.length, 24);
      texts.push(text);
    }
    assert.equal(texts[0], texts[1]);
    assert.match(texts[0], /there was a/);
  });

  test("info tells what was loaded, and the plan was counted before", async () => {
    await using model = await load("stories260k");
    const { info } = model;
    assert.equal(info.template, "none");
    assert.equal(info.window, info.trainedWindow);
    assert.equal(info.memory.fits, true);
    assert.ok(info.parameters > 200_000 && info.parameters < 300_000);
  });

  test("progress begins with all that is to be loaded, before the vocabulary is read, and goes up to it", async () => {
    const reports: Progress[] = [];
    await using _ = await load("stories260k", { executor: "cpu", onProgress: (report) => reports.push(report) });
    const [{ total }] = reports;
    assert.deepEqual(reports[0], { label: "load", done: 0, total, unit: "bytes" });
    assert.ok(reports.length > 10 && reports.every((report) => report.total === total));
    assert.equal(reports.at(-1)!.done, total);
    assert.ok(reports.every(({ done }, i) => i === 0 || done >= reports[i - 1].done));
  });

  test("a conversation that grows at its end reads only what is new", async () => {
    await using model = await load("stories260k");
    const first = await chat(model, [ONCE]);
    assert.equal(first.end.usage.cachedTokens, 0);
    const messages: Message[] = [
      ONCE,
      { role: "assistant", content: first.text },
      { role: "user", content: "The end" },
    ];
    const second = await chat(model, messages);
    // all of the first turn but its last id, which was chosen and not yet read
    assert.ok(second.end.usage.cachedTokens >= first.end.usage.promptTokens + first.end.ids.length - 1);
    const fresh = await chat(model, messages, { reproducible: true });
    assert.equal(fresh.end.usage.cachedTokens, 0);
    assert.equal(fresh.text, second.text);
  });

  test("the reply ends before a stop string, whose text and tokens are gone", async () => {
    await using model = await load("stories260k");
    const whole = await chat(model, [ONCE]);
    const stop = whole.text.slice(20, 27);
    const cut = await chat(model, [ONCE], { stop: [stop] });
    assert.equal(cut.text, whole.text.slice(0, whole.text.indexOf(stop)));
    assert.equal(cut.end.stopString, stop);
    assert.ok(whole.text.startsWith(model.detokenize(cut.end.ids).trimStart().slice(0, cut.text.length).trimEnd()));
    assert.equal(cut.end.usage.completionTokens, cut.end.ids.length);
  });

  test("detokenize takes off the space that the tokenizer puts before a text, unless the ids go on one", async () => {
    await using model = await load("stories260k");
    const ids = model.tokenize("Once upon");
    assert.equal(model.detokenize(ids), "Once upon");
    assert.equal(model.detokenize(ids, { start: false }), " Once upon");
  });

  test("the same seed gives the same reply, told seeds can be given again", async () => {
    await using model = await load("stories260k");
    const drawn = await chat(model, [ONCE], { temperature: 1.5 });
    const again = await chat(model, [ONCE], { temperature: 1.5, seed: drawn.end.seed });
    assert.equal(again.text, drawn.text);
  });

  test("replies at once are the replies alone", async () => {
    await using model = await load("stories260k");
    const prompts = ["Tim", "Lily had a dog.", "One day"].map((content): Message[] => [{ role: "user", content }]);
    const alone: string[] = [];
    for (const prompt of prompts) alone.push((await chat(model, prompt)).text);
    const together = await Promise.all(prompts.map(async (prompt) => (await chat(model, prompt)).text));
    assert.deepEqual(together, alone);
  });

  test("a prompt over the window is refused with the numbers", async () => {
    await using model = await load("stories260k", { window: 32 });
    await assert.rejects(chat(model, [{ role: "user", content: "and then ".repeat(40) }]), (error) => {
      assert.ok(error instanceof ContextLengthError);
      assert.equal(error.window, 32);
      assert.ok(error.promptTokens > 32);
      return true;
    });
  });

  test("a reply ends with length at the window's end", async () => {
    await using model = await load("stories260k", { window: 32 });
    const { end } = await collect(model.generate("Once", { temperature: 0, ignoreEnd: true }));
    assert.equal(end.finishReason, "length");
    assert.ok(end.promptIds.length + end.ids.length >= 32);
  });

  test("an abort in the middle rejects with AbortError, and the model goes on", async () => {
    await using model = await load("stories260k");
    const controller = new AbortController();
    await assert.rejects(async () => {
      for await (const part of model.chat([ONCE], { signal: controller.signal })) {
        if (part.type === "text-delta") controller.abort();
      }
    }, isAbort);
    assert.match((await chat(model, [ONCE])).text, /there was/);
  });

  test("an abort while the prompt is read leaves nothing behind", async () => {
    // the reference reads this prompt in more than one chunk, so there is a middle of it
    await using model = await load("stories260k", { executor: "reference" });
    const long: Message[] = [{ role: "user", content: "Tim had a big red ball. ".repeat(20) }];
    const undisturbed = await chat(model, long, { reproducible: true, maxTokens: 8 });
    const controller = new AbortController();
    let seen = { done: 0, total: 0 };
    await assert.rejects(async () => {
      for await (const part of model.chat(long, { signal: controller.signal, reproducible: true })) {
        assert.equal(part.type, "prefill");
        if (part.type !== "prefill" || part.done === 0) continue;
        seen = part;
        controller.abort();
      }
    }, isAbort);
    assert.ok(seen.done > 0 && seen.done < seen.total, "some of the prompt was read, and not all");
    const again = await chat(model, long, { maxTokens: 8 });
    assert.equal(again.text, undisturbed.text);
  });

  test("ids outside the vocabulary are refused with their place", async () => {
    await using model = await load("stories260k");
    await assert.rejects(model.logits([1, 99_999]), /ids\[1\] is 99999/);
    await assert.rejects(model.score([1, 1.5]), UsageError);
    await assert.rejects(collect(model.generate([-1])), UsageError);
  });

  test("log-probabilities of a reply, of score and of logits agree", async () => {
    await using model = await load("stories260k", { precision: "f32", kvType: "f32" });
    const { end, events } = await collect(model.generate("Once upon", { temperature: 0, maxTokens: 6, logprobs: 2 }));
    const told = events.flatMap((event) => (event.type === "text-delta" ? (event.logprobs ?? []) : []));
    const ids = [...end.promptIds, ...end.ids];
    const scored = Array.from(await model.score(ids)).slice(end.promptIds.length - 1);
    const logits = await model.logits(ids);
    const width = model.info.vocabularySize;
    for (const [i, { logprob, id, top }] of told.entries()) {
      const position = end.promptIds.length + i - 1;
      const row = logits.subarray(position * width, (position + 1) * width);
      const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
      // the same sums in f32, in another order of runs: prefill against decode
      assert.ok(Math.abs(logprob - scored[i]) < 1e-4);
      assert.ok(Math.abs(row[id] - total - scored[i]) < 1e-5);
      assert.equal(top[0].id, id);
    }
  });

  test("what is not there, and options out of range, are refused", async () => {
    await assert.rejects(load("no-such-model"), NotFoundError);
    await assert.rejects(load("stories260k", { template: "no-such-template" }), UsageError);
    await assert.rejects(load("stories260k", { window: 1e6 }), UsageError);
    await assert.rejects(load("stories260k", { executor: "gpu" as "cpu" }), UsageError);
    await assert.rejects(load("stories260k", { signal: AbortSignal.abort() }), isAbort);
  });
});
