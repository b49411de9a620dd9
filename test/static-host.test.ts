// The static host of scripts/ gives what is in its folder and nothing else, whatever is asked.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { startStaticHost } from "../scripts/static-host.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-static-host-"));
after(() => rm(folder, { recursive: true }));
const page = join(folder, "page");
await mkdir(join(page, "assets"), { recursive: true });
await mkdir(join(folder, "page-of-another"));
await writeFile(join(folder, "page-of-another/secret.txt"), "secret");
await writeFile(join(folder, "secret.txt"), "secret");
await writeFile(join(page, "index.html"), "<p>量</p>");
await writeFile(join(page, "assets/model 1.gguf"), "0123456789");
await writeFile(join(page, "empty.css"), "");
await writeFile(join(page, "_headers"), "/*\n  Cross-Origin-Opener-Policy: same-origin\n  X-More: a: b\n");

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** The path goes out as it is written: fetch would tidy it. */
function get(address: string, path: string, options: { method?: string; range?: string } = {}): Promise<Answer> {
  const { hostname, port } = new URL(address);
  const { method = "GET", range } = options;
  return new Promise((resolve, reject) => {
    const headers = range === undefined ? {} : { range };
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((body) => resolve({ status, headers, body }), reject);
    });
    sent.on("error", reject).end();
  });
}

test("gives files with their type and the headers of `_headers`, or without them", async () => {
  for (const headers of [true, false]) {
    await using host = await startStaticHost(page, { headers });
    const { status, body, headers: found } = await get(host.address, "/");
    assert.deepEqual([status, body, found["content-type"]], [200, "<p>量</p>", "text/html; charset=utf-8"]);
    assert.equal(found["cross-origin-opener-policy"], headers ? "same-origin" : undefined);
    assert.equal(found["x-more"], headers ? "a: b" : undefined);
    assert.equal((await get(host.address, "/assets/model%201.gguf?v=1")).body, "0123456789");
    const { status: empty, body: nothing } = await get(host.address, "/empty.css");
    assert.deepEqual([empty, nothing], [200, ""]);
  }
});

test("gives ranges, says how long a file is, and that a range lies behind its end", async () => {
  await using host = await startStaticHost(page, { headers: true });
  const path = "/assets/model%201.gguf";
  const part = await get(host.address, path, { range: "bytes=2-4" });
  assert.deepEqual([part.status, part.body, part.headers["content-range"]], [206, "234", "bytes 2-4/10"]);
  assert.equal((await get(host.address, path, { range: "bytes=7-" })).body, "789");
  assert.equal((await get(host.address, path, { range: "bytes=8-99" })).headers["content-range"], "bytes 8-9/10");
  const behind = await get(host.address, path, { range: "bytes=10-" });
  assert.deepEqual([behind.status, behind.headers["content-range"]], [416, "bytes */10"]);
  const head = await get(host.address, path, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "10", ""]);
});

test("what lies outside, is a folder, or is no address at all is not there, and the host goes on", async () => {
  await using host = await startStaticHost(page, { headers: true });
  const paths = ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/..%2fpage-of-another/secret.txt"];
  for (const path of [...paths, "/assets", "/assets/", "/%ff", "/%00", "//", "/none.js"]) {
    const { status, body } = await get(host.address, path);
    assert.deepEqual([status, body], [404, ""], path);
  }
  assert.equal((await get(host.address, "/index.html")).status, 200);
});

test("a port that is taken is an error", async () => {
  await using host = await startStaticHost(page, { headers: true });
  const port = Number(new URL(host.address).port);
  await assert.rejects(startStaticHost(page, { headers: true, port }), { code: "EADDRINUSE" });
});
