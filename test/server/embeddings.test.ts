// Embeddings and ranks over HTTP: OpenAI's own client, Ollama's and Cohere's requests.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI, { BadRequestError } from "openai";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { type Harness, createHarness, errorOf } from "./harness.ts";

let harness: Harness;
let server: RunningServer;
let client: OpenAI;

before(async () => {
  harness = await createHarness({ script: { window: 8 } });
  server = await serve({ app: harness.app, port: 0 });
  client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
});
after(async () => {
  await server.close();
  await harness.storage.close();
});

describe("OpenAI's client", () => {
  test("gets the same vectors as base64, which it asks for by itself, and as numbers", async () => {
    const base64 = await client.embeddings.create({ model: "second", input: ["ab", "你"] });
    const floats = await client.embeddings.create({ model: "second", input: ["ab", "你"], encoding_format: "float" });
    const expected = [
      [2, 97, 0],
      [1, 0x4f60, 0],
    ];
    for (const found of [base64, floats]) {
      assert.deepEqual(
        found.data.map(({ embedding }) => embedding),
        expected,
      );
      assert.deepEqual(
        found.data.map(({ index, object }) => [index, object]),
        [
          [0, "embedding"],
          [1, "embedding"],
        ],
      );
      assert.deepEqual(found.usage, { prompt_tokens: 3, total_tokens: 3 });
      assert.deepEqual([found.object, found.model], ["list", "second"]);
    }
  });

  test("may send a text, ids, lists of ids, and ask for fewer dimensions", async () => {
    const first = async (input: string | number[] | number[][]): Promise<number[]> =>
      (await client.embeddings.create({ model: "second", input, dimensions: 2 })).data[0].embedding;
    assert.deepEqual(await first("abc"), [3, 97]);
    assert.deepEqual(await first([65, 66]), [2, 65]);
    assert.deepEqual(await first([[65]]), [1, 65]);
  });

  test("may send texts and pictures as Jina's does: base64, or a data URL, of which the bytes reach the model", async () => {
    const image = btoa("\x07\x08\x09");
    const input = [{ text: "ab" }, { image }, "c", { image: `data:image/png;base64,${image}` }];
    const response = await harness.post("/v1/embeddings", { model: "second", input });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    assert.deepEqual(
      data.map(({ embedding }) => embedding),
      [
        [2, 97, 0],
        [3, 7, 0],
        [1, 99, 0],
        [3, 7, 0],
      ],
    );
    const one = await harness.post("/v1/embeddings", { model: "second", input: { image } });
    assert.equal(one.status, 200);
    for (const wrong of ["https://example.com/a.png", "no base64!"]) {
      const { status, param, message } = await errorOf(
        await harness.post("/v1/embeddings", { model: "second", input: [{ image: wrong }] }),
      );
      assert.deepEqual([status, param], [400, "input[0].image"]);
      assert.match(message, /expected a picture's bytes in base64/);
    }
  });

  test("is told what does not fit", async () => {
    const create = (input: string): Promise<unknown> => client.embeddings.create({ model: "second", input });
    await assert.rejects(create("123456789"), (error: unknown) => {
      assert.ok(error instanceof BadRequestError);
      return error.code === "context_length_exceeded";
    });
    const wrong = await errorOf(await harness.post("/v1/embeddings", { model: "second", input: [] }));
    assert.deepEqual([wrong.status, wrong.param], [400, "input"]);
  });
});

test("Ollama's two routes answer in its form, its errors too; what is too long is cut only where that is asked for", async () => {
  const post = async (path: string, body: object) => {
    const response = await harness.post(path, { model: "second", ...body });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const { body } = await post("/api/embed", { input: ["ab", "c"], dimensions: 2 });
  assert.deepEqual(body.embeddings, [
    [2, 97],
    [1, 99],
  ]);
  assert.equal(body.prompt_eval_count, 3);
  assert.ok(Number.isInteger(body.total_duration) && Number.isInteger(body.load_duration));
  assert.deepEqual((await post("/api/embeddings", { prompt: "ab" })).body, { embedding: [2, 97, 0] });
  const long = await post("/api/embed", { input: "123456789" });
  assert.equal(long.status, 400);
  assert.match(String(long.body.error), /9 tokens/);
  assert.deepEqual((await post("/api/embed", { input: "123456789", truncate: true })).body.embeddings, [[8, 49, 0]]);
});

test("ranks have the best document first, by all three addresses", async () => {
  for (const path of ["/v1/rerank", "/v2/rerank", "/rerank"]) {
    const documents = ["a", { text: "abc" }, "ab"];
    const response = await harness.post(path, { model: "second", query: "q", documents, top_n: 2 });
    const { results, usage } = (await response.json()) as {
      results: { index: number; relevance_score: number; document?: object }[];
      usage: object;
    };
    assert.deepEqual(
      results.map(({ index }) => index),
      [1, 2],
    );
    assert.ok(results[0].relevance_score > results[1].relevance_score);
    assert.deepEqual(usage, { prompt_tokens: 9, total_tokens: 9 });
    assert.equal(results[0].document, undefined);
  }
  const request = { model: "second", query: "q", documents: ["a"], return_documents: true };
  const { results } = (await (await harness.post("/v1/rerank", request)).json()) as { results: object[] };
  assert.deepEqual(results, [{ index: 0, relevance_score: 1 - 1 / 3, document: { text: "a" } }]);
  const none = await errorOf(await harness.post("/v1/rerank", { query: "q", documents: [] }));
  assert.deepEqual([none.status, none.param], [400, "documents"]);
});
