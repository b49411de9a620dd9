// `liang serve` as a process: it says where it listens once it does, answers, and ends quickly when told to.
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT, liangIn } from "./harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-cli-serve-"));
after(() => rm(home, { recursive: true }));
const liang = liangIn(home);

for (const [command, signal] of [
  [["serve", "--port", "0", "--model", "stories260k", "--no-open"], "SIGINT"],
  [["start", "--port", "0", "--no-open"], "SIGTERM"],
] as const) {
  test(`${command[0]} tells its address once it listens and ends within two seconds of ${signal}`, async () => {
    const child = liang.start(command);
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)![0];
    const health = await fetch(`${url}health`);
    assert.equal(health.status, 200);
    // a stream that is under way does not hold it up
    const reply = await fetch(`${url}v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "Once" }], stream: true }),
    });
    assert.equal(reply.status, 200);
    const started = performance.now();
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, 0);
    assert.ok(performance.now() - started < 2000);
    await reply.body!.cancel().catch(() => undefined); // it was cut
  });
}

test("serve gives a model named by its path a plain name, and lets pages of the origins given call the API", async () => {
  const path = join(ROOT, "models/stories260K.gguf");
  const copy = join(home, "A tale.gguf");
  await copyFile(path, copy);
  const child = liang.start([
    "serve",
    "--port",
    "0",
    "-m",
    copy,
    "--origin",
    "http://localhost:5173",
    "--origin",
    "http://a.example",
  ]);
  try {
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)![0];
    const list = (await (await fetch(`${url}v1/models`)).json()) as { data: { id: string }[] };
    assert.equal(list.data[0].id, "A-tale");
    for (const origin of ["http://localhost:5173", "http://a.example", "http://b.example"]) {
      const { status, headers } = await fetch(`${url}v1/models`, { headers: { origin } });
      const known = origin !== "http://b.example";
      assert.deepEqual([status, headers.get("access-control-allow-origin")], known ? [200, origin] : [403, null]);
    }
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
});
