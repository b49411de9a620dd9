// A run that is killed at any moment goes on to the same bytes as one that was never stopped, whatever the threads.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openExecutor } from "../../src/chat/executors.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { type RunOptions, train } from "../../src/train/run.ts";
import { prepareRewards } from "./tiny-policy.ts";
import { prepareTinyData, tinyRecipe } from "./tiny-run.ts";
import { pairRow, prepareRows } from "./tiny-stages.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-resume-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

const numbers = Array.from({ length: 30 }, (_, i) => i);
const STEPS = 30; // enough for a few kills, however fast they pass
const LENGTH = `steps=${STEPS}`;
const FILES = ["model.safetensors", "train/states.safetensors", "train/state.json"];

async function hashes(checkpoint: string): Promise<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const name of FILES) {
    entries.push([
      name,
      createHash("sha256")
        .update(await readFile(join(checkpoint, name)))
        .digest("hex"),
    ]);
  }
  return Object.fromEntries(entries);
}

async function run(threads: number, options: Partial<RunOptions> & { checkpoints: string }, settings: string[] = []) {
  await using prepared = await prepareRun(tinyRecipe(folder, [LENGTH, ...settings]), { threads });
  return await train(prepared, { executor: await openExecutor("cpu"), ...options });
}

/** Starts the fixture and kills it at a random moment of its steps; whether it had come to its end before. */
async function runAndKill(threads: number, settings: readonly string[] = [], most = 15): Promise<boolean> {
  const fixture = join(import.meta.dirname, "resume.fixture.ts");
  const child = spawn(
    process.execPath,
    ["--no-warnings", fixture, folder, "cpu", String(threads), LENGTH, ...settings],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(child, "exit") as Promise<[number | null]>;
  // after a few things have happened, and somewhere in the next one
  for (let left = 1 + Math.floor(Math.random() * most); left > 0 && child.exitCode === null;) {
    const chunk = await Promise.race([once(child.stdout, "data") as Promise<[Buffer]>, ended]);
    if (!(chunk[0] instanceof Buffer)) break; // it ended
    left -= String(chunk[0]).split("\n").length - 1;
  }
  await Promise.race([sleep(Math.random() * 15), ended]);
  child.kill("SIGKILL");
  const [code] = await ended;
  assert.ok(code === 0 || code === null, `it ended with ${code}`);
  return code === 0;
}

test("killed at any moment, a run goes on to the same bytes", { timeout: 120_000 }, async () => {
  const whole = await run(1, { checkpoints: join(folder, "whole") });
  assert.equal(whole.position.step, STEPS);
  let kills = 0;
  while (!(await runAndKill((kills % 2) + 1))) kills++;
  assert.ok(kills > 0, "it was never killed");
  const names = await readdir(join(folder, "killed"));
  assert.deepEqual(names, ["step-0000028", "step-0000030"]);
  assert.deepEqual(await hashes(join(folder, "killed/step-0000030")), await hashes(whole.checkpoint));
});

test(
  "a run that compares goes on to the same bytes, with what its model said at first",
  { timeout: 120_000 },
  async () => {
    await rm(join(folder, "killed"), { recursive: true, force: true });
    const settings = ["stage=dpo", `data=${await prepareRows(folder, "pairs", numbers.map(pairRow))}`, "steps=16"];
    const whole = await run(1, { checkpoints: join(folder, "whole-pairs") }, settings);
    let kills = 0;
    while (!(await runAndKill((kills % 2) + 1, settings, 14))) kills++;
    assert.ok(kills > 0, "it was never killed");
    assert.deepEqual(await hashes(join(folder, "killed/step-0000016")), await hashes(whole.checkpoint));
    const [kept, again] = ["whole-pairs", "killed"].map((name) => readFile(join(folder, name, "reference-train.f32")));
    assert.deepEqual(await kept, await again);
  },
);

test("a run that learns from its own answers goes on to the same bytes", { timeout: 120_000 }, async () => {
  await rm(join(folder, "killed"), { recursive: true, force: true });
  const settings = [
    ...(await prepareRewards(folder)),
    "stage=ppo",
    "objective.kl=0",
    "rollout.miniBatches=2",
    "steps=12",
  ];
  const whole = await run(1, { checkpoints: join(folder, "whole-answers") }, settings);
  let kills = 0;
  while (!(await runAndKill((kills % 2) + 1, settings, 14))) kills++;
  assert.ok(kills > 0, "it was never killed");
  assert.deepEqual(await hashes(join(folder, "killed/step-0000012")), await hashes(whole.checkpoint));
});

test("aborted, it saves where it stands, and another recipe or no wish to go on is refused", async () => {
  const checkpoints = join(folder, "aborted");
  const abort = new AbortController();
  const onEvent: RunOptions["onEvent"] = ({ type, step }) => type === "step" && step === 5 && abort.abort();
  await assert.rejects(run(2, { checkpoints, onEvent, signal: abort.signal }), { name: "AbortError" });
  assert.deepEqual(await readdir(checkpoints), ["step-0000004", "step-0000005"]);
  await assert.rejects(run(2, { checkpoints }), /has checkpoints of an earlier run\. Go on with --resume/);
  await assert.rejects(
    run(2, { checkpoints, resume: true }, ["optimizer.others.rate=0.5"]),
    /begun with optimizer\.others\.rate 0\.01, now it is 0\.5\./,
  );
  const { checkpoint } = await run(2, { checkpoints, resume: true });
  assert.deepEqual(await hashes(checkpoint), await hashes(join(folder, "whole/step-0000030")));
});
