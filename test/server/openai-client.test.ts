// Conformance with OpenAI's own client library, over a real port.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI, { APIError, BadRequestError, NotFoundError } from "openai";
import { KernelError } from "../../src/base/errors.ts";
import { serve, type RunningServer } from "../../src/server/index.ts";
import { collect, createGate, createHarness, until, type Harness } from "./harness.ts";

const WORDS = "你好, world! It works.";
let gate = createGate();
let harness: Harness;
let server: RunningServer;
let client: OpenAI;

before(async () => {
  harness = await createHarness({
    scripts: {
      "org/first:Q4_K_M": { reply: (_, { seed }) => (seed === undefined ? WORDS : `seed ${seed}`) },
      slow: { reply: () => "abcdef", beforeToken: () => gate.wait() },
      broken: { reply: () => "abcdef", failAt: { index: 3, error: new KernelError("boom", 1, 2) } },
    },
    names: ["org/first:Q4_K_M", "slow", "broken"],
  });
  server = await serve({ app: harness.app, port: 0 });
  client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
});
after(async () => {
  gate.open();
  await server.close();
  await harness.storage.close();
});

const messages = [
  { role: "system" as const, content: "Be brief." },
  { role: "user" as const, content: [{ type: "text" as const, text: "Hi" }] },
];
const model = "org/first:Q4_K_M";

describe("chat.completions", () => {
  test("create gives the whole reply with usage", async () => {
    const reply = await client.chat.completions.create({ model, messages });
    assert.equal(reply.object, "chat.completion");
    assert.equal(reply.model, model);
    assert.deepEqual(reply.choices, [
      {
        index: 0,
        message: { role: "assistant", content: WORDS, refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ]);
    const { usage } = reply;
    assert.equal(usage?.completion_tokens, Array.from(WORDS).length);
    assert.equal(usage?.total_tokens, usage.prompt_tokens + usage.completion_tokens);
    assert.equal(typeof usage?.prompt_tokens_details?.cached_tokens, "number");
  });

  test("the stream's pieces join to the reply: the role first, a finish_reason, then usage with no choices", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    assert.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), WORDS);
    assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, "stop");
    assert.deepEqual(chunks.at(-1)?.choices, []);
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, Array.from(WORDS).length);
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  });

  test(".stream() accumulates the same reply", async () => {
    const stream = client.chat.completions.stream({ model, messages });
    let text = "";
    stream.on("content", (delta) => (text += delta));
    const final = await stream.finalChatCompletion();
    assert.equal(text, WORDS);
    assert.equal(final.choices[0]?.message.content, WORDS);
    assert.equal(final.choices[0]?.finish_reason, "stop");
  });

  test("n replies have their own index and seed, streamed or not, and one prompt's usage", async () => {
    const body = { model, messages, n: 3, seed: 5 };
    const whole = await client.chat.completions.create(body);
    assert.deepEqual(
      whole.choices.map((choice) => [choice.index, choice.message.content]),
      [
        [0, "seed 5"],
        [1, "seed 6"],
        [2, "seed 7"],
      ],
    );
    const single = await client.chat.completions.create({ ...body, n: 1 });
    assert.equal(whole.usage?.prompt_tokens, single.usage?.prompt_tokens);
    assert.equal(whole.usage?.completion_tokens, 3 * (single.usage?.completion_tokens ?? 0));
    const final = await client.chat.completions.stream(body).finalChatCompletion();
    assert.deepEqual(
      final.choices.map((choice) => choice.message.content),
      ["seed 5", "seed 6", "seed 7"],
    );
  });

  test("logprobs come with bytes and as many alternatives as asked for, streamed or not", async () => {
    const body = { model, messages, logprobs: true, top_logprobs: 2, max_tokens: 2 };
    const whole = await client.chat.completions.create(body);
    const content = whole.choices[0]?.logprobs?.content ?? [];
    assert.deepEqual(
      content.map((one) => [one.token, one.bytes, one.top_logprobs.length]),
      [
        ["你", [0xe4, 0xbd, 0xa0], 2],
        ["好", [0xe5, 0xa5, 0xbd], 2],
      ],
    );
    assert.equal(whole.choices[0]?.finish_reason, "length");
    const final = await client.chat.completions.stream(body).finalChatCompletion();
    assert.deepEqual(final.choices[0]?.logprobs?.content, content);
  });

  test("every sampling field reaches the model under its name of the door", async () => {
    await client.chat.completions.create({
      model,
      messages,
      max_completion_tokens: 5,
      temperature: 0.5,
      top_p: 0.6,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logit_bias: { "65": -100 },
      seed: 9,
      stop: ["!"],
      logprobs: true,
      // Not OpenAI's, but what other servers take too.
      ...({
        top_k: 7,
        min_p: 0.01,
        typical_p: 0.9,
        repeat_penalty: 1.1,
        chat_template_kwargs: { enable_thinking: false },
      } as object),
    });
    const { signal, ...options } = harness.loaded[0].calls.at(-1)!.options;
    assert.ok(signal instanceof AbortSignal);
    assert.deepEqual(options, {
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.6,
      topK: 7,
      minP: 0.01,
      typicalP: 0.9,
      repetitionPenalty: 1.1,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      logitBias: { "65": -100 },
      seed: 9,
      stop: ["!"],
      logprobs: 0,
      templateOptions: { enable_thinking: false },
    });
  });

  test("what the client leaves out stays the model's own default, and unknown fields are ignored", async () => {
    await client.chat.completions.create({ model, messages, store: true, user: "me", ...({ wibble: 1 } as object) });
    assert.deepEqual(Object.keys(harness.loaded[0].calls.at(-1)!.options), ["signal"]);
  });

  test("a stop string ends the reply", async () => {
    const reply = await client.chat.completions.create({ model, messages, stop: "!" });
    assert.equal(reply.choices[0]?.message.content, "你好, world");
  });

  test("tools and tool messages pass through to the model", async () => {
    const tools = [{ type: "function" as const, function: { name: "f", parameters: { type: "object" } } }];
    await client.chat.completions.create({
      model,
      tools,
      tool_choice: "auto",
      messages: [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "1", content: "42" },
      ],
    });
    const { options, prompt } = harness.loaded[0].calls.at(-1)!;
    assert.deepEqual(options.tools, tools);
    assert.deepEqual(options.templateOptions, { tool_choice: "auto" });
    assert.match(prompt, /tool: 42/);
  });

  test("too long a prompt is a 400 whose code clients know, streamed or not", async () => {
    const long = [{ role: "user" as const, content: "x".repeat(2000) }];
    for (const stream of [false, true]) {
      await assert.rejects(client.chat.completions.create({ model, messages: long, stream }), (error) => {
        assert.ok(error instanceof BadRequestError);
        assert.equal(error.code, "context_length_exceeded");
        assert.match(error.message, /exceeds the available context size of 1000/);
        return true;
      });
    }
  });

  test("an unknown model is a 404 with its name", async () => {
    await assert.rejects(client.chat.completions.create({ model: "gpt-9", messages }), (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.equal(error.code, "model_not_found");
      assert.match(error.message, /gpt-9/);
      return true;
    });
  });

  test("a failure in the middle of a stream reaches the client as an error, after the text before it", async () => {
    const stream = await client.chat.completions.create({ model: "broken", messages, stream: true });
    let text = "";
    await assert.rejects(
      async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      },
      (error) => error instanceof APIError && /boom/.test(error.message),
    );
    assert.equal(text, "abc");
  });

  for (const stream of [true, false]) {
    test(`a client that leaves stops the model (${stream ? "stream" : "no stream"})`, async () => {
      gate = createGate();
      const abort = new AbortController();
      const reply = client.chat.completions.create({ model: "slow", messages, stream }, { signal: abort.signal });
      reply.catch(() => undefined);
      await until(() => slow()?.active === 1, "the reply runs");
      const before = slow()!.aborted;
      gate.pass();
      if (stream) {
        const iterator = (await (reply as ReturnType<typeof streamOf>))[Symbol.asyncIterator]();
        await iterator.next();
      }
      abort.abort();
      // The model looks at its signal at each token: let it come there.
      await until(() => {
        gate.pass();
        return slow()!.active === 0;
      }, "the model stops");
      assert.equal(slow()!.aborted, before + 1);
      assert.deepEqual(
        harness.failures.filter((error) => !(error instanceof KernelError)),
        [],
        "leaving is no failure",
      );
    });
  }
});

const slow = () => harness.loaded.findLast((one) => one.info.name === "slow");
// Only for its type: what create gives with stream true.
const streamOf = () => client.chat.completions.create({ model, messages, stream: true });

describe("completions", () => {
  test("create continues a text and ids, each prompt with its own index", async () => {
    const one = await client.completions.create({ model, prompt: "Once", max_tokens: 2, temperature: 0 });
    assert.deepEqual(one.choices, [{ index: 0, text: "你好", logprobs: null, finish_reason: "length" }]);
    const two = await client.completions.create({ model, prompt: ["a", "bb"], n: 2, max_tokens: 1 });
    assert.deepEqual(
      two.choices.map((choice) => choice.index),
      [0, 1, 2, 3],
    );
    assert.deepEqual(
      harness.loaded
        .at(-1)!
        .calls.slice(-4)
        .map((call) => call.prompt),
      ["a", "a", "bb", "bb"],
    );
    assert.equal(two.usage?.prompt_tokens, 3, "each prompt counts once");
    assert.equal(two.usage?.completion_tokens, 4);
    await client.completions.create({ model, prompt: [65, 66] });
    assert.equal(harness.loaded.at(-1)!.calls.at(-1)!.prompt, "AB");
    await client.completions.create({ model, prompt: [[65], [66]] });
    assert.equal(harness.loaded.at(-1)!.calls.at(-1)!.prompt, "B");
  });

  test("echo gives the prompt back before the reply, streamed too", async () => {
    const body = { model, prompt: "Say: ", echo: true, max_tokens: 2 };
    assert.equal((await client.completions.create(body)).choices[0]?.text, "Say: 你好");
    const chunks = await collect(await client.completions.create({ ...body, stream: true }));
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.text ?? "").join(""), "Say: 你好");
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "length");
  });

  test("logprobs are parallel arrays whose offsets point into the text", async () => {
    const { choices } = await client.completions.create({ model, prompt: "x", logprobs: 2, max_tokens: 3 });
    const { tokens, token_logprobs: values = [], top_logprobs: tops = [], text_offset: offsets } = choices[0].logprobs!;
    assert.deepEqual(tokens, ["你", "好", ","]);
    assert.deepEqual(values, [-0.25, -0.25, -0.25]);
    assert.deepEqual(offsets, [0, 1, 2]);
    assert.equal(Object.keys(tops[0]).length, 2);
  });

  test("with echo and max_tokens 0 the prompt's own probabilities come, nothing is generated", async () => {
    const before = harness.loaded.at(-1)!.calls.length;
    const { choices, usage } = await client.completions.create({
      model,
      prompt: "aab",
      echo: true,
      logprobs: 1,
      max_tokens: 0,
    });
    const { tokens, token_logprobs: values = [], top_logprobs: tops = [] } = choices[0].logprobs!;
    assert.deepEqual(tokens, ["", "a", "a", "b"], "the first token is BOS, which is no text");
    assert.equal(values[0], null);
    assert.ok(values[2] > -0.01, "a after a is what this model expects");
    assert.ok(values[3] < -19);
    assert.deepEqual(Object.keys(tops[2]), ["a"]);
    assert.equal(choices[0].text, "aab");
    assert.equal(usage?.completion_tokens, 0);
    assert.equal(harness.loaded.at(-1)!.calls.length, before);
    const scored = await client.completions.create({ model, prompt: "aab", echo: true, logprobs: 0, max_tokens: 0 });
    assert.deepEqual(scored.choices[0]?.logprobs?.token_logprobs, [null, -1.5, -1.5, -1.5]);
  });
});

describe("models", () => {
  test("list and retrieve work with ids that hold a slash and a colon", async () => {
    const listed = await collect(client.models.list());
    assert.deepEqual(
      listed.map((one) => one.id),
      ["org/first:Q4_K_M", "slow", "broken"],
    );
    assert.equal((await client.models.retrieve("org/first:Q4_K_M")).id, "org/first:Q4_K_M");
    const unescaped = await fetch(`${server.url}v1/models/org/first:Q4_K_M`);
    assert.equal(((await unescaped.json()) as { id: string }).id, "org/first:Q4_K_M");
    await assert.rejects(client.models.retrieve("none"), NotFoundError);
  });
});
