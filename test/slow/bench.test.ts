// `liang bench kernels` as a process: it measures for half a minute.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { liangIn } from "../cli/harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-slow-bench-"));
after(() => rm(home, { recursive: true }));

interface Report {
  readonly tier: string;
  readonly threads: number;
  readonly kernels: Readonly<Record<string, unknown>>[];
}

test("bench kernels --json tells each kernel beside its ceiling, as one object", async () => {
  const args = ["bench", "kernels", "--formats", "q8_0", "--threads", "1"];
  const { code, stdout, stderr } = await liangIn(home).run([...args, "--json"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout, /^[^\n]+\n$/);
  const { tier, threads, kernels } = JSON.parse(stdout) as Report;
  assert.deepEqual([typeof tier, threads], ["string", 1]);
  const first = kernels.slice(0, 4).map((speed) => [speed.class, speed.kernel, speed.rows, speed.unit]);
  assert.deepEqual(first, [
    ["decode", "q8_0", 1, "GB/s"],
    ["decode", "q8_0", 8, "GB/s"],
    ["decode", "q8_0", 1, "GB/s"],
    ["prompt", "q8_0", 512, "GOP/s"],
  ]);
  const bounds = new Set(["memory", "cache", "f32", "int8", "bf16"]);
  assert.ok(kernels.every(({ bound }) => bounds.has(bound as string)));
  for (const kernel of kernels) {
    for (const field of ["measured", "ceiling", "share"]) {
      assert.ok(
        Number.isFinite(kernel[field]) && (kernel[field] as number) > 0,
        `${field} of ${JSON.stringify(kernel)}`,
      );
    }
  }
});
