// "Will it fit" is true: what a process grows by when it loads a real model and fills its window is what the plan said;
// when the model is closed, its memory is the system's again. The first start packs the weights and emits the kernels,
// the second one finds both.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeTemporaryFolder } from "#platform";
import type { MemoryPlan, ModelInfo } from "../../src/chat/types.ts";
import { modelFile } from "../model-files.ts";

const WINDOW = 1024;
/**
 * Measured over planned: Gemma 0.945 to 1.001 in five starts, Qwen 0.987 to 0.990. A system that is short of memory takes
 * pages of mapped weights back, so little is said of the least.
 */
const SHARE = { least: 0.9, most: 1.02 };
/** What emitting kernels leaves in the heap of the process that does it. */
const EMISSION_BYTES = 64 << 20;
const fixture = fileURLToPath(new URL("./memory.fixture.ts", import.meta.url));

let home = "";
before(async () => {
  home = await makeTemporaryFolder();
});
after(() => rm(home, { recursive: true }));

interface Told {
  readonly planned: MemoryPlan;
  readonly weights: ModelInfo["weights"];
  readonly grownBytes: number;
  readonly peakBytes: number;
  readonly keptBytes: number;
}

async function start(path: string): Promise<Told> {
  const env = { ...process.env, LIANG_HOME: home };
  const { stdout } = await promisify(execFile)(process.execPath, [fixture, path, String(WINDOW)], { env });
  return JSON.parse(stdout) as Told;
}

for (const name of ["gemma-3-270m-q4_k_m", "qwen2.5-coder-1.5b-instruct-q4_k_m"]) {
  const { path, skip } = modelFile(`${name}.gguf`);
  test(
    `${name} takes the memory that was planned, at most 2 % more, and gives it back`,
    { skip, timeout: 300_000 },
    async (t) => {
      const first = await start(path);
      const second = await start(path);
      for (const [which, { planned, grownBytes, peakBytes }] of Object.entries({ first, second })) {
        const megabytes = [planned.totalBytes, grownBytes, peakBytes].map((bytes) => Math.round(bytes / 1e6));
        t.diagnostic(
          `${which} start: planned ${megabytes[0]} MB, grew by ${megabytes[1]} MB, at most ${megabytes[2]} MB`,
        );
      }
      assert.equal(first.weights.from, "packed");
      assert.notEqual(second.weights.from, "packed");
      const ratio = second.grownBytes / second.planned.totalBytes;
      const peak = second.peakBytes / second.planned.totalBytes;
      for (const share of [ratio, peak]) {
        assert.ok(share > SHARE.least && share < SHARE.most, `measured / planned is ${share.toFixed(3)}`);
      }
      const most = 1.1 * first.planned.totalBytes + EMISSION_BYTES;
      assert.ok(first.peakBytes < most, `the first start took ${first.peakBytes} bytes`);
      // the fixture still holds the closed model: its tokenizer stays, its weights do not
      const given = second.grownBytes - second.keptBytes;
      t.diagnostic(`closing gave ${Math.round(given / 1e6)} MB back`);
      assert.ok(given > 0.9 * second.planned.weightBytes, `closing gave back ${given} bytes`);
    },
  );
}
