// The server over a real model, through OpenAI's client: what a stream gives is what the whole reply is, stop strings cut,
// a client that leaves frees the model, a second turn finds the first one in the cache.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI, { APIError } from "openai";
import { load } from "../../src/chat/load.ts";
import { accessFor, createApp, serve, type RunningServer } from "../../src/server/index.ts";
import { NotFoundError } from "../../src/base/errors.ts";
import { openSqliteStorage, openStaticFolder } from "../../src/store/index.ts";
import { modelFile } from "../model-files.ts";

const NAME = "qwen2.5-coder-1.5b-instruct";
const file = modelFile(`${NAME}-q4_k_m.gguf`);

const ask = (content: string) => [{ role: "user" as const, content }];
const greedy = { model: NAME, temperature: 0 };

describe("the server over Qwen2.5-Coder 1.5B", { skip: file.skip }, () => {
  const storage = openSqliteStorage(":memory:");
  const failures: unknown[] = [];
  let server: RunningServer;
  let client: OpenAI;

  before(async () => {
    const entry = { name: NAME, path: file.path, bytes: 1, addedAt: 0, builtIn: false };
    const app = createApp({
      models: {
        list: async () => [entry],
        async find(name) {
          if (name !== NAME) throw new NotFoundError(`There is no model called ${name}.`);
          return entry;
        },
      },
      load: (path, options) => load(path, { ...options, window: 1024 }),
      storage,
      page: openStaticFolder("nowhere"),
      access: accessFor("127.0.0.1"),
      version: "0",
      dataFolder: "",
      log: (error) => failures.push(error),
    });
    server = await serve({ app, port: 0 });
    client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
  });
  after(async () => {
    await server.close();
    await storage.close();
  });

  test("the pieces of a stream join to the whole reply, and usage agrees", async () => {
    const body = { ...greedy, messages: ask("Write one line of Python that prints 你好."), max_tokens: 24 };
    const whole = await client.chat.completions.create(body);
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0]?.message.content, whole.choices[0]?.message.content);
    assert.match(whole.choices[0]?.message.content ?? "", /print\(.*你好/);
    assert.equal(final.usage?.completion_tokens, whole.usage?.completion_tokens);
    assert.ok((final.usage?.prompt_tokens_details?.cached_tokens ?? 0) > 0, "the prompt was in the cache");
  });

  test("a stop string ends the reply before it, even inside a token's text", async () => {
    const messages = ask("Count: one, two, three, four, five. Repeat exactly.");
    const free = await client.chat.completions.create({ ...greedy, messages, max_tokens: 24 });
    const text = free.choices[0]?.message.content ?? "";
    const stop = "hree";
    assert.ok(text.includes(stop), text);
    const cut = await client.chat.completions.create({ ...greedy, messages, max_tokens: 24, stop });
    assert.equal(cut.choices[0]?.message.content, text.slice(0, text.indexOf(stop)));
    assert.equal(cut.choices[0]?.finish_reason, "stop");
  });

  test("a client that leaves frees the model for the next one", async () => {
    const abort = new AbortController();
    const body = { ...greedy, messages: ask("Tell a very long story."), max_tokens: 900, stream: true as const };
    const stream = await client.chat.completions.create(body, { signal: abort.signal });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    abort.abort();
    const startMs = Date.now();
    await client.chat.completions.create({ ...greedy, messages: ask("Say yes."), max_tokens: 1 });
    // 900 tokens would take minutes.
    assert.ok(Date.now() - startMs < 30_000);
    assert.deepEqual(failures, []);
  });

  test("too long a prompt is refused with the numbers", async () => {
    const body = { ...greedy, messages: ask("word ".repeat(2000)), max_tokens: 1 };
    await assert.rejects(client.chat.completions.create(body), (error) => {
      return error instanceof APIError && error.code === "context_length_exceeded" && /1024/.test(error.message);
    });
  });

  test("the log-probabilities of an echoed prompt are those that the same tokens get as a reply", async () => {
    const prompt = "def add(a, b):\n    return";
    const reply = await client.completions.create({ ...greedy, prompt, max_tokens: 3, logprobs: 1 });
    const { tokens = [], token_logprobs: values = [] } = reply.choices[0]?.logprobs ?? {};
    const echoed = await client.completions.create({
      ...greedy,
      prompt: prompt + tokens.join(""),
      max_tokens: 0,
      echo: true,
      logprobs: 0,
    });
    const all = echoed.choices[0]?.logprobs?.token_logprobs ?? [];
    // Measured 0 with the WASM kernels; a tier whose prefill rounds otherwise than its decode may differ by a little.
    values.forEach((value, index) => assert.ok(Math.abs(value - all.at(index - values.length)!) < 0.02));
  });
});
