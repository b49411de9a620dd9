// A run that is killed at any moment goes on to the same bytes as one that was never stopped, whatever the threads.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Executor } from "../../src/device/executor.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { type RunOptions, train } from "../../src/train/run.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { prepareRewards } from "./tiny-policy.ts";
import { tinyRecipe } from "./tiny-run.ts";
import { pairRow, prepareRows } from "./tiny-stages.ts";

const FILES = ["model.safetensors", "train/states.safetensors", "train/state.json"];

/** Of a checkpoint's files. */
export async function hashes(checkpoint: string): Promise<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const name of FILES) {
    const bytes = await readFile(join(checkpoint, name));
    entries.push([name, createHash("sha256").update(bytes).digest("hex")]);
  }
  return Object.fromEntries(entries);
}

interface Run extends Partial<RunOptions> {
  readonly checkpoints: string;
  readonly threads?: number;
}

/** Runs the tiny recipe in this process. */
export async function run(folder: string, settings: readonly string[], { threads = 1, ...options }: Run) {
  await using prepared = await prepareRun(tinyRecipe(folder, settings), { threads });
  const executor: Executor = tinyExecutor({ ownThread: threads === 1 });
  return await train(prepared, { executor, ...options });
}

/**
 * Starts the fixture; kills it at a random moment between the last of so many events and the next, at which it would wait for
 * ever. With Infinity it comes to its end.
 */
async function runAndKill(folder: string, threads: number, settings: readonly string[], events: number): Promise<void> {
  const fixture = join(import.meta.dirname, "resume.fixture.ts");
  const args = ["--no-warnings", fixture, folder, "cpu", String(threads), String(events), ...settings];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  let seen = 0;
  const reached = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.filter((byte) => byte === 10).length;
      if (seen >= events) resolve();
    });
  });
  await Promise.race([reached, ended]);
  if (events < Infinity) await sleep(Math.random() * 15);
  child.kill("SIGKILL");
  const [code] = await ended;
  assert.equal(code, events < Infinity ? null : 0, `after ${seen} events`);
}

/** How long a run is, and how often it is killed, each time after some of so many events. */
export interface Kills {
  readonly steps: number;
  readonly kills: number;
  readonly most: number;
}

/** `folder`: what `prepareTinyData` prepared. */
export function killedRuns(folder: string, kills: Readonly<Record<"texts" | "pairs" | "answers", Kills>>): void {
  const numbers = Array.from({ length: 30 }, (_, i) => i);
  const compare = async (name: string, { steps, kills: times, most }: Kills, settings: readonly string[]) => {
    const all = [...settings, `steps=${steps}`];
    await rm(join(folder, "killed"), { recursive: true, force: true });
    const whole = await run(folder, all, { checkpoints: join(folder, name) });
    assert.equal(whole.position.step, steps);
    for (let time = 0; time <= times; time++) {
      const events = time < times ? 1 + Math.floor(Math.random() * most) : Infinity;
      await runAndKill(folder, (time % 2) + 1, all, events);
    }
    const last = `step-${String(steps).padStart(7, "0")}`;
    assert.deepEqual(await hashes(join(folder, "killed", last)), await hashes(whole.checkpoint));
  };

  test("killed at any moment, a run goes on to the same bytes", { timeout: 120_000 }, async () => {
    await compare("whole", kills.texts, []);
    const kept = [kills.texts.steps - 2, kills.texts.steps].map((step) => `step-${String(step).padStart(7, "0")}`);
    assert.deepEqual(await readdir(join(folder, "killed")), kept);
  });

  test("one that compares, with what its model said at first", { timeout: 120_000 }, async () => {
    const data = await prepareRows(folder, "pairs", numbers.map(pairRow));
    await compare("whole-pairs", kills.pairs, ["stage=dpo", `data=${data}`]);
    const [kept, again] = ["whole-pairs", "killed"].map((name) => readFile(join(folder, name, "reference-train.f32")));
    assert.deepEqual(await kept, await again);
  });

  test("one that learns from its own answers", { timeout: 120_000 }, async () => {
    const rewards = await prepareRewards(folder);
    await compare("whole-answers", kills.answers, [...rewards, "stage=ppo", "objective.kl=0", "rollout.miniBatches=2"]);
  });
}
