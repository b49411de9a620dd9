// "Will it fit" is true: what a process grows by when it loads a real model and fills its window is what the plan said;
// when the model is closed, its memory is the system's again.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import type { MemoryPlan } from "../../src/chat/types.ts";
import { modelFile } from "../model-files.ts";

const WINDOW = 512;
const fixture = fileURLToPath(new URL("./memory.fixture.ts", import.meta.url));

for (const name of ["gemma-3-270m-q4_k_m", "qwen2.5-coder-1.5b-instruct-q4_k_m"]) {
  const { path, skip } = modelFile(`${name}.gguf`);
  test(
    `${name} takes the memory that was planned, within 10 %, and gives it back`,
    { skip, timeout: 300_000 },
    async (t) => {
      const { stdout } = await promisify(execFile)(process.execPath, [fixture, path, String(WINDOW)]);
      const told = JSON.parse(stdout) as { planned: MemoryPlan; grownBytes: number; keptBytes: number };
      const ratio = told.grownBytes / told.planned.totalBytes;
      t.diagnostic(
        `planned ${told.planned.totalBytes} bytes, the process grew by ${told.grownBytes}: ${ratio.toFixed(3)}`,
      );
      // the fixture still holds the closed model: its tokenizer stays, its weights do not
      const given = told.grownBytes - told.keptBytes;
      t.diagnostic(`closing gave ${given} bytes back`);
      assert.ok(given > told.planned.weightBytes, `closing gave back ${given} bytes of ${told.planned.weightBytes}`);
      assert.ok(ratio > 0.9 && ratio < 1.1, `measured / planned is ${ratio.toFixed(3)}`);
    },
  );
}
