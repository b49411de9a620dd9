// Clients that leave before they have read anything, and failures after a stream has begun: neither may keep a model from
// being unloaded, nor go unheard.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import { allEvents, createHarness, errorOf } from "./harness.ts";

const ROUTES = {
  "/v1/chat/completions": { model: "second", stream: true, messages: [{ role: "user", content: "hi" }] },
  "/v1/completions": { model: "second", stream: true, prompt: "hi" },
  "/api/models/load": { model: "second" },
} as const;

describe("a client that leaves a stream", () => {
  for (const [path, body] of Object.entries(ROUTES)) {
    for (const how of ["closes it", "aborts the request"] as const) {
      test(`${path}: who ${how} before reading leaves no lease behind`, { timeout: 10_000 }, async () => {
        await using harness = await createHarness();
        const abort = new AbortController();
        const init = { method: "POST", body: JSON.stringify(body), signal: abort.signal };
        const response = await harness.request(path, init);
        assert.equal(response.status, 200);
        if (how === "closes it") await response.body!.cancel();
        else abort.abort();
        // Waits for ever where the model called "second" is still on lease.
        await allEvents(await harness.post("/api/models/load", { model: "org/first:Q4_K_M" }));
        assert.equal(harness.loaded[0].isClosed, true);
        assert.equal(harness.loaded[0].active, 0);
      });
    }
  }
});

describe("a failure in a stream", () => {
  for (const path of ["/v1/chat/completions", "/v1/completions"] as const) {
    test(`${path}: what failed inside is logged, for the client is told to look there`, async () => {
      const error = new TypeError("inside");
      await using harness = await createHarness({ script: { failAt: { index: 2, error } } });
      const text = await (await harness.post(path, ROUTES[path])).text();
      assert.match(text, /its terminal shows how/);
      assert.doesNotMatch(text, /inside"/);
      assert.deepEqual(harness.failures, [error]);
    });
  }

  test("what the client did wrong is no failure of the server's", async () => {
    const error = new UsageError("not so");
    await using harness = await createHarness({ script: { failAt: { index: 2, error } } });
    assert.match(await (await harness.post("/v1/completions", ROUTES["/v1/completions"])).text(), /not so/);
    assert.deepEqual(harness.failures, []);
  });
});

test("a body that is no UTF-8 is refused, not read as something else", async () => {
  await using harness = await createHarness();
  const body = new Uint8Array([...new TextEncoder().encode('{"prompt":"'), 0xff, ...new TextEncoder().encode('"}')]);
  const error = await errorOf(await harness.request("/v1/completions", { method: "POST", body }));
  assert.equal(error.status, 400);
  assert.match(error.message, /UTF-8/);
});
