import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { isAbort } from "../base/errors.ts";
import { TemplateError } from "./template-error.ts";
import type { JinjaJob } from "./template-jinja.ts";
import { createTemplateRunner, DEFAULT_BUDGET } from "./template-runner.ts";
import { createTemplate } from "./template.ts";

const job = (source: string): JinjaJob => ({ source, variables: {}, nowMs: 0, outputUnits: 1000 });
const LOOP = "{% for a in range(3000) %}{% for b in range(1000) %}{% set c = a * b %}{% endfor %}{% endfor %}";

const failsBy = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof TemplateError);
  assert.equal(error.reason, reason);
  return true;
};

test("a template that loops three million times ends with an error within its time, and the next one renders", async () => {
  await using runner = createTemplateRunner({ ...DEFAULT_BUDGET, timeMs: 250 });
  assert.deepEqual(await runner.run(job("warm")), { kind: "text", text: "warm" });
  await assert.rejects(runner.run(job(LOOP)), failsBy("time"));
  assert.deepEqual(await runner.run(job("{{ 1 + 1 }}")), { kind: "text", text: "2" });
});

test("renders asked for at once run one after the other, one failing does not fail those behind it", async () => {
  await using runner = createTemplateRunner({ ...DEFAULT_BUDGET, timeMs: 250 });
  const all = await Promise.allSettled([runner.run(job("a")), runner.run(job(LOOP)), runner.run(job("b"))]);
  assert.deepEqual(
    all.map((one) => (one.status === "fulfilled" ? one.value : "failed")),
    [{ kind: "text", text: "a" }, "failed", { kind: "text", text: "b" }],
  );
});

test("closing rejects what renders and what waits at once, and no thread is started for either", async () => {
  const runner = createTemplateRunner({ ...DEFAULT_BUDGET, timeMs: 60_000 });
  await runner.run(job("warm"));
  const all = Promise.allSettled([runner.run(job(LOOP)), runner.run(job("a"))]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = performance.now();
  await runner.close();
  for (const one of await all) assert.ok(one.status === "rejected" && isAbort(one.reason), one.status);
  await assert.rejects(runner.run(job("b")), isAbort);
  assert.ok(performance.now() - start < 5000, "nobody waits for the budget's time");
});

test("a template that takes too much memory ends with an error", async () => {
  await using runner = createTemplateRunner({ ...DEFAULT_BUDGET, timeMs: 60_000, heapBytes: 32 * 2 ** 20 });
  const source =
    "{% set n = namespace(l=[]) %}{% for i in range(100000) %}{% set n.l = n.l + [n.l] + range(90000) %}{% endfor %}";
  await assert.rejects(runner.run(job(source)), failsBy("memory"));
});

test("output over the budget is an error, not a cut prompt", async () => {
  await using template = createTemplate(
    { main: "{% for i in range(2000) %}x{% endfor %}", named: {} },
    { controlTexts: [], variables: {} },
    { budget: { ...DEFAULT_BUDGET, outputUnits: 1000 } },
  );
  await assert.rejects(template.render({ messages: [], addGenerationPrompt: true }), failsBy("output"));
});

test("a range longer than Jinja's sandbox allows is refused at once", async () => {
  await using runner = createTemplateRunner(DEFAULT_BUDGET);
  const result = await runner.run(job("{% for a in range(3000000) %}x{% endfor %}"));
  assert.equal(result.kind, "failed");
});

test("an idle thread does not keep the process alive, a waiting render does", () => {
  const script = `
    import { createTemplateRunner, DEFAULT_BUDGET } from ${JSON.stringify(new URL("./template-runner.ts", import.meta.url).href)};
    const runner = createTemplateRunner(DEFAULT_BUDGET);
    runner.run({ source: "done", variables: {}, nowMs: 0, outputUnits: 9 }).then((result) => console.log(result.text));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 30_000,
    cwd: new URL("../..", import.meta.url),
  });
  assert.deepEqual([child.stdout, child.status], ["done\n", 0], child.stderr);
});
