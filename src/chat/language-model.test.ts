import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeEngine, noReader, tinyTokenizer } from "../../test/chat/fakes.ts";
import { UsageError, isAbort } from "../base/errors.ts";
import { chooseTemplate } from "./choose-template.ts";
import { createLanguageModel } from "./language-model.ts";
import type { LanguageModel, Message, ModelInfo } from "./types.ts";

function open(options: { addBos?: boolean; markers?: boolean; template?: string } = {}) {
  const tokenizer = tinyTokenizer(options);
  const engine = fakeEngine(tokenizer.encode("hello"));
  const { template, from } = chooseTemplate({ main: undefined, named: {} }, tokenizer, options.template);
  let closed = 0;
  const model: LanguageModel = createLanguageModel({
    info: { name: "tiny", template: from, vocabularySize: tokenizer.vocabularySize } as ModelInfo,
    engine,
    tokenizer,
    template,
    endIds: tokenizer.specials.endOfGeneration,
    defaults: { topK: 7 },
    reader: noReader,
    attach: () => Promise.reject(new Error("not here")),
    async close() {
      closed++;
    },
  });
  return { model, engine, tokenizer, closed: () => closed };
}

const begin = (reply: AsyncIterable<unknown>): Promise<unknown> => reply[Symbol.asyncIterator]().next();
const user = (content: string): Message => ({ role: "user", content });

test("chat renders, encodes and streams", async () => {
  const { model, engine, tokenizer } = open();
  let reply = "";
  for await (const part of model.chat([user("Hi")], { temperature: 0 })) {
    if (part.type === "text-delta") reply += part.text;
  }
  assert.equal(reply, "hello");
  const prompt = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  assert.deepEqual(engine.requests[0].ids, tokenizer.encode(prompt, { special: true }));
  assert.equal(await model.render([user("Hi")]), prompt);
});

test("settings are the caller's, else the model's, else ours", async () => {
  const { model, engine } = open();
  for await (const part of model.chat([user("Hi")], { temperature: 0.1 })) void part;
  const { temperature, topK, topP } = engine.requests[0].sampling!;
  assert.deepEqual([temperature, topK, topP], [0.1, 7, 0.95]);
});

test("a pasted control token is plain text in the prompt's ids", async () => {
  const { model, tokenizer } = open();
  const pasted = "a<|im_end|>b";
  const ids = await model.promptIds([user(pasted)]);
  const [start, end] = ["<|im_start|>", "<|im_end|>"].map((text) => tokenizer.idOf(text)!);
  const body = tokenizer.encode(`user\n${pasted}`);
  assert.equal(body.includes(end), false);
  assert.deepEqual(ids, [start, ...body, end, ...tokenizer.encode("\n"), start, ...tokenizer.encode("assistant\n")]);
});

test("BOS comes first once, whether the tokenizer or the template writes it", async () => {
  const { model, tokenizer } = open({ addBos: true });
  const bos = tokenizer.specials.bos!;
  assert.deepEqual((await model.promptIds([user("x")])).filter((id) => id === bos).length, 2); // one a turn
  const plain = open({ addBos: true, template: "none" });
  assert.deepEqual(await plain.model.promptIds([user("hello")]), [bos, ...tokenizer.encode("hello")]);
  assert.deepEqual(plain.model.tokenize("hello", { bos: true }), [bos, ...tokenizer.encode("hello")]);
  assert.deepEqual(plain.model.tokenize("hello"), tokenizer.encode("hello"));
});

test("a model without turn markers continues the texts, and its info says so", async () => {
  const { model } = open({ markers: false });
  assert.equal(model.info.template, "none");
  assert.equal(
    await model.render([user("Once"), { role: "assistant", content: " upon" }, user("a time")]),
    "Once upon\na time",
  );
});

test("generate takes text, in which specials are plain, or ids", async () => {
  const { model, engine, tokenizer } = open();
  for await (const part of model.generate("a<|im_end|>")) void part;
  assert.deepEqual(engine.requests[0].ids, tokenizer.encode("a<|im_end|>"));
  for await (const part of model.generate([5, 6])) void part;
  assert.deepEqual(engine.requests[1].ids, [5, 6]);
});

test("an empty prompt begins with BOS, or is refused where there is nothing to begin with", async () => {
  const { model, engine, tokenizer } = open();
  for await (const part of model.generate("")) void part;
  assert.deepEqual(engine.requests[0].ids, [tokenizer.specials.bos]);
  const bare = open({ markers: false });
  await assert.rejects(begin(bare.model.generate("")), UsageError);
});

test("developers speak as system, parts of text are joined, other parts are refused", async () => {
  const { model } = open();
  const prompt = await model.render(
    [
      { role: "developer", content: "D" },
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
    ],
    { addGenerationPrompt: false },
  );
  assert.equal(prompt, "<|im_start|>system\nD<|im_end|>\n<|im_start|>user\nab<|im_end|>\n");
  const image = { role: "user", content: [{ type: "image_url" }] } as const;
  await assert.rejects(model.render([image]), /messages\[0\]\.content\[0\] is of type "image_url"/);
  await assert.rejects(model.render([{ ...user("x"), role: "robot" } as unknown as Message]), /messages\[0\]\.role/);
  await assert.rejects(model.render([]), /at least one message/);
});

test("detokenize writes special tokens out unless told not to", () => {
  const { model, tokenizer } = open();
  const ids = [tokenizer.idOf("<|im_start|>")!, ...tokenizer.encode("hello")];
  assert.equal(model.detokenize(ids), "<|im_start|>hello");
  assert.equal(model.detokenize(ids, { special: false }), "hello");
});

test("an abort, and closing, are heard while the template still renders", async () => {
  const { model: whole, engine, tokenizer } = open();
  const model = createLanguageModel({
    info: whole.info,
    engine,
    tokenizer,
    template: {
      ...chooseTemplate({ main: undefined, named: {} }, tokenizer).template,
      render: () => new Promise(() => {}),
    },
    endIds: new Set(),
    defaults: {},
    reader: noReader,
    attach: () => Promise.reject(new Error("not here")),
    async close() {},
  });
  const controller = new AbortController();
  const reply = begin(model.chat([user("x")], { signal: controller.signal }));
  setImmediate(() => controller.abort());
  await assert.rejects(reply, isAbort);
  await assert.rejects(begin(model.chat([user("x")], { signal: controller.signal })), isAbort);
  const another = begin(model.chat([user("x")]));
  setImmediate(() => void model.close());
  await assert.rejects(another, isAbort);
  assert.deepEqual(engine.requests, []);
});

test("close frees once, and a closed model says so", async () => {
  const { model, closed } = open();
  {
    await using owned = model;
    await owned.close();
  }
  assert.equal(closed(), 1);
  await assert.rejects(model.render([user("x")]), /closed/);
  await assert.rejects(begin(model.chat([user("x")])), /closed/);
});
