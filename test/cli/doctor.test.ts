// Where koffi is not installed: the program and its server run as WebAssembly, say so once, and the doctor tells why.
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { native } from "../../src/platform/node/index.ts";
import { ROOT, liangIn } from "./harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-cli-doctor-"));
after(() => rm(home, { recursive: true }));
const liang = liangIn(home);

const WITHOUT_KOFFI = `import module from "node:module";
const load = module._load;
module._load = (name, ...rest) => {
  if (name === "koffi") throw new Error("Cannot find module 'koffi'");
  return load(name, ...rest);
};`;
const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WITHOUT_KOFFI)}` };

const host = native();
// a system without machine code of ours is expected to run WebAssembly, and says nothing
const skip = "reason" in host && host.failed !== true ? host.reason : false;

test("without koffi a model runs as WebAssembly, and one line says so", { skip }, async () => {
  const args = ["run", "stories260k", "Once", "--temperature", "0", "--max-tokens", "8"];
  const { code, stdout, stderr } = await liang.run(args, { env });
  assert.equal(code, 0, stderr);
  assert.equal(
    stderr,
    "Models run as WebAssembly, slower than machine code: koffi, an optional package, does not load: " +
      "Cannot find module 'koffi'\n",
  );
  const asked = await liang.run(args, { env: { ...env, LIANG_CPU: "wasm" } });
  assert.deepEqual(asked, { code: 0, stdout, stderr: "" });
});

test("a server says so too, once for all models that it loads", { skip }, async () => {
  const copy = join(home, "tale.gguf");
  await copyFile(join(ROOT, "models/stories260K.gguf"), copy);
  const child = liang.start(["serve", "--port", "0", "--model", copy, "--no-open"], env);
  const stderr = text(child.stderr);
  try {
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)![0];
    for (const model of ["tale", "stories260k"]) {
      const reply = await fetch(`${url}v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, prompt: "Once", max_tokens: 2 }),
      });
      assert.equal(reply.status, 200, await reply.text());
    }
  } finally {
    child.kill("SIGTERM");
    await once(child, "close");
  }
  assert.equal((await stderr).match(/slower than machine code/g)?.length, 1, await stderr);
});

test("the doctor measures what is there and tells why the rest is not", { skip }, async () => {
  const { code, stdout } = await liang.run(["doctor", "--json", "--threads", "1"], { env });
  assert.equal(code, 0);
  const report = JSON.parse(stdout) as Record<string, unknown> & { tiers: Record<string, unknown>[] };
  assert.deepEqual(report.machine_code, {
    available: false,
    reason: "koffi, an optional package, does not load: Cannot find module 'koffi'",
  });
  const inUse = report.tiers.filter((tier) => tier.inUse);
  assert.deepEqual(
    inUse.map(({ tier }) => String(tier).startsWith("wasm")),
    [true],
  );
  for (const { peaks, missing } of report.tiers) {
    if (missing === undefined) assert.ok((peaks as Record<string, number>).f32 > 0);
    else assert.match(missing as string, /koffi|relaxed SIMD/);
  }
});

test("a LIANG_CHECK that is neither on nor off is refused, by a model and by the doctor", async () => {
  for (const args of [["run", "stories260k", "Once"], ["doctor"]]) {
    const { code, stderr } = await liang.run(args, { env: { LIANG_CHECK: "yes" } });
    assert.equal(code, 2);
    assert.match(stderr, /LIANG_CHECK is "yes", expected 1, 0 or nothing\./);
  }
});

test("an unknown kernel set is refused with the names of those that there are", async () => {
  const { code, stderr } = await liang.run(["run", "stories260k", "Once"], { env: { LIANG_CPU: "sse2" } });
  assert.equal(code, 2);
  assert.match(stderr, /LIANG_CPU is "sse2", expected one of amx, .*, avx2, wasm-relaxed, wasm\./);
});
