// Redirects and retries against a scripted fetch; what needs real connections is in test/hub.
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { LiangError, isAbort } from "../../base/errors.ts";
import { PassingError, get, withRetries } from "./http.ts";

/** Answers fetch from a table of addresses; gives the requests that were made. */
function script(t: TestContext, answers: Record<string, string | number>) {
  const requests: { url: string; token: string | null }[] = [];
  t.mock.method(globalThis, "fetch", async (url: URL, init: RequestInit) => {
    requests.push({ url: url.href, token: new Headers(init.headers).get("authorization") });
    const answer = answers[url.href] ?? 404;
    if (typeof answer === "number") return new Response(null, { status: answer });
    return new Response(null, { status: 302, headers: { location: answer } });
  });
  return requests;
}
const isBadRedirect = (error: unknown) => error instanceof LiangError && error.code === "bad_redirect";
const secure = { endpoint: "https://hub.example", token: "secret" };

describe("redirects", () => {
  test("are followed over hosts, the token staying at home", async (t) => {
    const requests = script(t, {
      "https://hub.example/a": "/b",
      "https://hub.example/b": "https://cdn.example/c",
      "https://cdn.example/c": 200,
    });
    assert.equal((await get("https://hub.example/a", secure, "x")).status, 200);
    assert.deepEqual(
      requests.map((request) => request.token),
      ["Bearer secret", "Bearer secret", null],
    );
  });

  test("never lead from https to http, nor to another scheme", async (t) => {
    for (const location of ["http://hub.example/b", "http://127.0.0.1/", "file:///etc/passwd", "http://["]) {
      const requests = script(t, { "https://hub.example/a": location });
      await assert.rejects(get("https://hub.example/a", secure, "x"), isBadRedirect);
      assert.equal(requests.length, 1);
      t.mock.restoreAll();
    }
  });

  test("may lead from http to http when the endpoint was given so, but the token stays with its host and port", async (t) => {
    const requests = script(t, { "http://hub.local:1/a": "http://hub.local:2/b", "http://hub.local:2/b": 200 });
    await get("http://hub.local:1/a", { endpoint: "http://hub.local:1", token: "secret" }, "x");
    assert.deepEqual(requests[1], { url: "http://hub.local:2/b", token: null });
  });

  test("in a circle are given up", async (t) => {
    const requests = script(t, { "https://hub.example/a": "/a" });
    await assert.rejects(get("https://hub.example/a", secure, "x"), isBadRedirect);
    assert.ok(requests.length < 20);
  });
});

const quick = { endpoint: "https://hub.example", retryDelayMs: 1 };
const failing = (times: number) => {
  const calls = { count: 0 };
  const attempt = async () => {
    if (calls.count++ < times) throw new PassingError("broken");
    return "done";
  };
  return { calls, attempt };
};

describe("retries", () => {
  test("end after the tries allowed, and count anew after progress", async () => {
    const hopeless = failing(99);
    await assert.rejects(withRetries({ ...quick, attempts: 3 }, hopeless.attempt), PassingError);
    assert.equal(hopeless.calls.count, 3);
    const moving = failing(10);
    assert.equal(await withRetries({ ...quick, attempts: 2 }, moving.attempt, () => moving.calls.count), "done");
  });

  test("are not made for failures that do not pass", async () => {
    let calls = 0;
    const attempt = async () => {
      calls++;
      throw new LiangError("gated", "no");
    };
    await assert.rejects(withRetries(quick, attempt), /no/);
    assert.equal(calls, 1);
  });

  test("stop waiting when the signal fires", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 10);
    const startMs = Date.now();
    const slow = { ...quick, retryDelayMs: 20_000, signal: abort.signal };
    await assert.rejects(withRetries(slow, failing(99).attempt), isAbort);
    assert.ok(Date.now() - startMs < 5000);
  });
});
