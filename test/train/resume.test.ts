// Runs that were killed or aborted go on to the same bytes.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunOptions } from "../../src/train/run.ts";
import { hashes, killedRuns, run } from "./killed-runs.ts";
import { prepareTinyData } from "./tiny-run.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-resume-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

killedRuns(folder, {
  texts: { steps: 12, kills: 2, most: 5 },
  pairs: { steps: 8, kills: 1, most: 5 },
  answers: { steps: 6, kills: 1, most: 4 },
});

test("aborted, it saves where it stands, and another recipe or no wish to go on is refused", async () => {
  const checkpoints = join(folder, "aborted");
  const abort = new AbortController();
  const onEvent: RunOptions["onEvent"] = ({ type, step }) => type === "step" && step === 5 && abort.abort();
  const steps = "steps=12";
  const stopped = run(folder, [steps], { threads: 2, checkpoints, onEvent, signal: abort.signal });
  await assert.rejects(stopped, { name: "AbortError" });
  assert.deepEqual(await readdir(checkpoints), ["step-0000004", "step-0000005"]);
  await assert.rejects(
    run(folder, [steps], { checkpoints }),
    /has checkpoints of an earlier run\. Go on with --resume/,
  );
  await assert.rejects(
    run(folder, [steps, "optimizer.others.rate=0.5"], { checkpoints, resume: true }),
    /begun with optimizer\.others\.rate 0\.01, now it is 0\.5\./,
  );
  const { checkpoint } = await run(folder, [steps], { checkpoints, resume: true });
  assert.deepEqual(await hashes(checkpoint), await hashes(join(folder, "whole/step-0000012")));
});
