// What a hostile page, client or address may try: every route refuses it, with a sentence.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { describe, test } from "node:test";
import { accessFor, serve } from "../../src/server/index.ts";
import { LiangError, UsageError } from "../../src/base/errors.ts";
import { createHarness, errorOf, type Harness } from "./harness.ts";

const PAGE = { "index.html": "<!doctype html>page", "assets/a-1.js": "1", "secret.txt": "x" };
// One of each kind: the page, its files, both APIs, GET and others.
const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/"],
  ["GET", "/assets/a-1.js"],
  ["GET", "/health"],
  ["GET", "/v1/models"],
  ["POST", "/v1/chat/completions"],
  ["POST", "/tokenize"],
  ["GET", "/api/server"],
  ["GET", "/api/conversations/export"],
  ["POST", "/api/conversations"],
  ["DELETE", "/api/conversations/x"],
  ["GET", "/nowhere"],
];

function raw(port: number, path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function statuses(harness: Harness, headers: Record<string, string>): Promise<number[]> {
  return Promise.all(ROUTES.map(async ([method, path]) => (await harness.request(path, { method, headers })).status));
}
const all = (status: number) => ROUTES.map(() => status);

describe("Host", () => {
  for (const host of [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "0.0.0.0:8000",
    "192.168.1.5",
    "a@localhost",
    "localhost/x",
    "[::2]:8000",
    "127.0.0.1@evil.example",
    "2130706433.evil",
  ]) {
    test(`${host} is refused on every route (DNS rebinding)`, async () => {
      await using harness = await createHarness({ page: PAGE });
      assert.deepEqual(await statuses(harness, { host }), all(403));
    });
  }
  for (const host of ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"]) {
    test(`${host} is a name of this machine`, async () => {
      await using harness = await createHarness({ page: PAGE });
      assert.ok((await statuses(harness, { host })).every((status) => status !== 403));
    });
  }
});

describe("Origin", () => {
  const host = "127.0.0.1:8000";
  for (const origin of [
    "http://evil.example",
    "https://evil.example:8000",
    "null",
    "http://127.0.0.1:8001",
    "http://localhost",
    "http://127.0.0.1:8000.evil.example",
    "file://",
    "chrome-extension://abc",
    "nonsense",
    "",
  ]) {
    test(`${JSON.stringify(origin)} is refused on every route, GET too`, async () => {
      await using harness = await createHarness({ page: PAGE });
      assert.deepEqual(await statuses(harness, { host, origin }), all(403));
    });
  }
  for (const origin of ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"]) {
    test(`${origin} is the server's own`, async () => {
      await using harness = await createHarness({ page: PAGE });
      assert.ok((await statuses(harness, { host, origin })).every((status) => status !== 403));
    });
  }

  test("a browser's request for another site is refused without an Origin too, but the page may be linked to", async () => {
    await using harness = await createHarness({ page: PAGE });
    const image = { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
    assert.deepEqual(await statuses(harness, image), all(403));
    const link = { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    assert.equal((await harness.request("/", { headers: link })).status, 200);
    assert.equal((await harness.request("/api/conversations/export", { headers: link })).status, 403);
    const frame = { ...link, "sec-fetch-dest": "iframe" };
    assert.equal((await harness.request("/", { headers: frame })).status, 403);
  });

  test("an origin on the owner's list may call and gets CORS headers; no other does", async () => {
    const origin = "http://localhost:5173";
    await using harness = await createHarness({ access: accessFor("127.0.0.1", { origins: [origin] }) });
    const ok = await harness.request("/v1/models", { headers: { host, origin } });
    assert.equal(ok.headers.get("access-control-allow-origin"), origin);
    const preflight = await harness.request("/v1/chat/completions", {
      method: "OPTIONS",
      headers: { host, origin, "access-control-request-headers": "content-type" },
    });
    assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-headers")], [204, "content-type"]);
    const other = await harness.request("/v1/models", { headers: { host, origin: "http://localhost:5174" } });
    assert.equal(other.headers.get("access-control-allow-origin"), null);
    assert.equal(other.status, 403);
    assert.throws(() => accessFor("127.0.0.1", { origins: ["*"] }), UsageError);
  });
});

describe("the key", () => {
  test("is made up when listening elsewhere and none is given, differs each time, and is needed to listen", async () => {
    const [one, two] = [accessFor("0.0.0.0").key!, accessFor("192.168.1.5").key!];
    assert.match(one, /^liang-[0-9a-f]{48}$/);
    assert.notEqual(one, two);
    assert.equal(accessFor("localhost").key, undefined);
    assert.throws(() => accessFor("0.0.0.0", { key: "short" }), UsageError);
    await using harness = await createHarness();
    await assert.rejects(serve({ app: harness.app, port: 0, host: "0.0.0.0" }), UsageError);
  });

  test("is asked for on every API route, in either header, and not for the page's files", async () => {
    const key = "a-good-long-key";
    await using harness = await createHarness({ page: PAGE, access: accessFor("0.0.0.0", { key }) });
    const host = "192.168.1.5:8000";
    const open = ["/", "/assets/a-1.js", "/health", "/nowhere"];
    const wrong: Record<string, string>[] = [
      {},
      { authorization: "Bearer wrong-key-here" },
      { "x-api-key": `${key}x` },
      { authorization: key },
      { authorization: "Bearer " },
    ];
    for (const headers of wrong) {
      const found = await statuses(harness, { host, ...headers });
      assert.deepEqual(
        found,
        ROUTES.map(([, path]) => (open.includes(path) ? 200 : 401)),
      );
    }
    const right: Record<string, string>[] = [{ authorization: `Bearer ${key}` }, { "x-api-key": key }];
    for (const headers of right) {
      assert.ok((await statuses(harness, { host, ...headers })).every((status) => status !== 401));
    }
    const health = async (headers: Record<string, string>) =>
      (await (await harness.request("/health", { headers: { host, ...headers } })).json()) as object;
    assert.deepEqual(await health({}), { status: "ok", loading: false }, "the model's name is not for everyone");
    assert.ok("model" in (await health({ "x-api-key": key })));
    const foreign = { host, origin: "http://evil.example", "x-api-key": key };
    assert.deepEqual(await statuses(harness, foreign), all(403), "a foreign page may not use a key it got hold of");
  });
});

describe("bodies", () => {
  test("too large a body is cut off with 413, whether it says its size or not", async () => {
    await using harness = await createHarness();
    const big = JSON.stringify({ content: "x".repeat(17 * 2 ** 20) });
    assert.equal((await errorOf(await harness.post("/tokenize", big))).status, 413);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 2 ** 20;
        controller.enqueue(new Uint8Array(2 ** 20).fill(0x20));
      },
    });
    const init = { method: "POST", body: endless, duplex: "half" } as RequestInit;
    assert.equal((await errorOf(await harness.request("/tokenize", init))).code, "body_too_large");
    assert.ok(sent < 20 * 2 ** 20, "no more is read than the cap");
  });

  for (const [body, message] of [
    ["", /empty/],
    ["{", /no JSON/],
    ["[]", /The body is \[\]/],
    ["null", /The body is null/],
    ['"x"', /The body/],
    ["\u0000", /no JSON/],
  ] as const) {
    test(`the body ${JSON.stringify(body)} is a 400`, async () => {
      await using harness = await createHarness();
      for (const path of ["/v1/chat/completions", "/v1/completions", "/api/conversations", "/tokenize"]) {
        const error = await errorOf(await harness.post(path, body));
        assert.equal(error.status, 400, path);
        assert.match(error.message, message);
      }
    });
  }

  const chat = { messages: [{ role: "user", content: "x" }] };
  const image = [{ type: "image_url", image_url: { url: "http://169.254.169.254/" } }];
  for (const [change, param] of [
    [{ messages: undefined }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: image }] }, "messages[0].content[0].type"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: 7 }] }] }, "messages[0].content[0].text"],
    [{ model: 5 }, "model"],
    [{ model: "../../etc/passwd" }, "model"],
    [{ n: 1_000_000 }, "n"],
    [{ n: 0 }, "n"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ max_completion_tokens: "9" }, "max_completion_tokens"],
    [{ temperature: -1 }, "temperature"],
    [{ temperature: "hot" }, "temperature"],
    [{ top_p: 1.1 }, "top_p"],
    [{ top_k: 0.5 }, "top_k"],
    [{ min_p: 2 }, "min_p"],
    [{ presence_penalty: 3 }, "presence_penalty"],
    [{ logit_bias: { word: 1 } }, "logit_bias.word"],
    [{ logit_bias: { "5": 500 } }, "logit_bias.5"],
    [{ seed: 1.5 }, "seed"],
    [{ stop: [""] }, "stop[0]"],
    [{ stop: Array.from({ length: 17 }, () => "x") }, "stop"],
    [{ stream: "yes" }, "stream"],
    [{ top_logprobs: 3 }, "top_logprobs"],
    [{ logprobs: true, top_logprobs: 99 }, "top_logprobs"],
    [{ response_format: { type: "json_object" } }, "response_format"],
    [{ tools: [{ type: "function" }] }, "tools[0].function"],
    [
      {
        tools: [{ type: "function", function: { name: "f" } }],
        tool_choice: { type: "function", function: { name: "g" } },
      },
      "tool_choice",
    ],
    [{ grammar: 'root ::= "x"' }, "grammar"],
    [{ chat_template_kwargs: 5 }, "chat_template_kwargs"],
  ] as const) {
    test(`chat with ${JSON.stringify(change).slice(0, 70)} names ${param}`, async () => {
      await using harness = await createHarness();
      const error = await errorOf(await harness.post("/v1/chat/completions", { ...chat, ...change }));
      assert.equal(error.status, param === "model" && change.model !== 5 ? 404 : 400);
      assert.equal(error.param, param);
      assert.ok(error.message.length > 10 && error.message.length < 300, error.message);
      assert.equal(harness.loaded.length, 0, "refused before a model is loaded");
    });
  }

  for (const [body, param] of [
    [{}, "prompt"],
    [{ prompt: 5 }, "prompt"],
    [{ prompt: [] }, "prompt"],
    [{ prompt: [-1] }, "prompt"],
    [{ prompt: ["a", 5] }, "prompt"],
    [{ prompt: Array.from({ length: 100 }, () => "x") }, "prompt"],
    [{ prompt: "x", suffix: "y" }, "suffix"],
    [{ prompt: "x", best_of: 4 }, "best_of"],
    [{ prompt: "x", logprobs: 50 }, "logprobs"],
  ] as const) {
    test(`completions with ${JSON.stringify(body).slice(0, 60)} names ${param}`, async () => {
      await using harness = await createHarness();
      const error = await errorOf(await harness.post("/v1/completions", body));
      assert.equal(error.status, 400);
      assert.match(error.param ?? "", new RegExp(`^${param}`));
    });
  }

  for (const [path, body, param] of [
    ["/v1/completions", { prompt: [65, 2 ** 30] }, "prompt"],
    ["/v1/completions", { prompt: [[65], [2 ** 30]], stream: true }, "prompt"],
    ["/v1/completions", { prompt: "x", logit_bias: { "99999": 5 } }, "logit_bias"],
    ["/v1/chat/completions", { ...chat, logit_bias: { "99999": 5 }, stream: true }, "logit_bias"],
    ["/detokenize", { tokens: [65, 2 ** 30] }, "tokens"],
  ] as const) {
    test(`an id that the model does not have names ${param} at ${path}: ${JSON.stringify(body).slice(-40)}`, async () => {
      await using harness = await createHarness();
      const error = await errorOf(await harness.post(path, body));
      assert.deepEqual([error.status, error.param], [400, param]);
      assert.match(error.message, /expected ids from 0 to 12287/);
    });
  }

  test("top_p and typical_p of 0 are the best token alone, not an error", async () => {
    await using harness = await createHarness();
    assert.equal((await harness.post("/v1/chat/completions", { ...chat, top_p: 0, typical_p: 0 })).status, 200);
    const { topP = 1, typicalP = 1 } = harness.loaded[0].calls[0].options;
    for (const share of [topP, typicalP]) assert.ok(share > 0 && share < 1e-6); // the door refuses 0
  });
});

describe("the page's files", () => {
  test("come with their types and the headers that fence the page in", async () => {
    await using harness = await createHarness({ page: PAGE });
    const page = await harness.request("/");
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const kind of ["default", "script", "style", "img", "font", "connect"]) {
      assert.match(policy, new RegExp(`(^|; )${kind}-src 'self'(;|$)`));
    }
    assert.doesNotMatch(policy, /unsafe|data:|blob:/);
    assert.equal(page.headers.get("cross-origin-opener-policy"), "same-origin");
    assert.equal(page.headers.get("cross-origin-embedder-policy"), "require-corp");
    const script = await harness.request("/assets/a-1.js");
    assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.match(script.headers.get("cache-control") ?? "", /immutable/);
    assert.equal(script.headers.get("x-content-type-options"), "nosniff");
    assert.equal(await (await harness.request("/c/some-conversation")).text(), PAGE["index.html"]);
    assert.equal((await harness.request("/assets/none.js")).status, 404);
    const failed = await harness.request("/api/none");
    assert.equal(failed.status, 404);
    assert.equal(failed.headers.get("x-content-type-options"), "nosniff", "errors are fenced too");
    assert.equal((await harness.request("/", { method: "POST" })).status, 404);
  });

  test("without a built page, / says how to build it", async () => {
    await using harness = await createHarness();
    const response = await harness.request("/");
    assert.equal(response.status, 503);
    assert.match(await response.text(), /npm run build:web/);
  });
});

describe("over a real port", () => {
  test("paths that leave the folder, a foreign Host and a foreign address in the request line get nothing", async () => {
    await using harness = await createHarness({ page: PAGE });
    await using server = await serve({ app: harness.app, port: 0 });
    for (const path of [
      "/../../etc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/assets/..%2f..%2fpackage.json",
      "//etc/passwd",
      "/assets/%00.js",
      "/%",
    ]) {
      const { status, text } = await raw(server.port, path, {});
      assert.ok(status === 404 || status === 400 || text === PAGE["index.html"], `${path}: ${status}`);
      assert.ok(!text.includes("root:") && !text.includes('"name"'), path);
    }
    assert.equal((await raw(server.port, "/v1/models", { host: "evil.example" })).status, 403);
    assert.notEqual((await raw(server.port, "http://evil.example/v1/models", { host: "localhost" })).status, 200);
    assert.equal((await raw(server.port, "/v1/models", { host: `localhost:${server.port}` })).status, 200);
  });

  test("a port in use is one clear sentence", async () => {
    await using harness = await createHarness();
    await using server = await serve({ app: harness.app, port: 0 });
    await assert.rejects(serve({ app: harness.app, port: server.port }), (error) => {
      assert.ok(error instanceof LiangError);
      assert.equal(error.code, "port_in_use");
      assert.match(error.message, new RegExp(`^Port ${server.port} is in use`));
      return true;
    });
    await assert.rejects(serve({ app: harness.app, port: 70_000 }), UsageError);
  });

  test("the address that is printed carries the key after #, which no server sees", async () => {
    await using harness = await createHarness({ access: accessFor("127.0.0.1", { key: "a-good-long-key" }) });
    await using server = await serve({ app: harness.app, port: 0 });
    assert.equal(server.url, `http://127.0.0.1:${server.port}/#key=a-good-long-key`);
  });
});
