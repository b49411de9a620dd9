// A tiny model learns from rewards for its own replies: what is rewarded becomes likely, and a run that stops goes on to
// the same bytes, with any number of threads.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import type { Message } from "../../src/chat/types.ts";
import type { RunEvent } from "../../src/train/loop.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { type RunOptions, train } from "../../src/train/run.ts";
import { parseRecipe } from "../../src/train/recipe.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { openRewardModel } from "../../src/train/rewards/reward-model.ts";
import type { Beginning } from "../../src/train/training-data.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { ASKED, prepareRewards } from "./tiny-policy.ts";
import { prepareTokenizer, tinyRecipe } from "./tiny-run.ts";
import { prepareRows, stageRecipe } from "./tiny-stages.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-policy-"));
after(() => rm(folder, { recursive: true }));
await prepareTokenizer(folder);
const LEARNS = [...(await prepareRewards(folder)), "checkpoint.every=0", "steps=30"];
const tiny = tinyExecutor();
const ofStage = (settings: readonly string[]) => tinyRecipe(folder, [...LEARNS, ...settings]);

interface Told {
  readonly events: RunEvent[];
  readonly checkpoint: string;
}

async function run(
  settings: readonly string[],
  { threads = 1, ...options }: { threads?: number } & Partial<RunOptions> & { checkpoints: string },
): Promise<Told> {
  const events: RunEvent[] = [];
  await using prepared = await prepareRun(ofStage(settings), { threads });
  const { checkpoint } = await train(prepared, {
    executor: threads === 1 ? tiny : tinyExecutor({ ownThread: false }),
    ...options,
    onEvent(event) {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return { events, checkpoint };
}

const rewardsOf = (events: readonly RunEvent[]): number[] =>
  events.flatMap((event) => (event.type === "step" ? [event.measures!["reward"]] : []));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

for (const objective of ["grpo", "dapo", "drgrpo", "gspo", "rloo"]) {
  test(`${objective}: what is rewarded becomes likely`, async () => {
    const settings = [`objective.name=${objective}`, ...(objective === "dapo" ? ["objective.overlong=0"] : [])];
    const { events } = await run(settings, { checkpoints: join(folder, objective) });
    const found = rewardsOf(events);
    assert.ok(mean(found.slice(0, 3)) < 0.25, `${mean(found.slice(0, 3))} at first`);
    assert.ok(mean(found.slice(-3)) > 0.6, `${mean(found.slice(-3))} at last`);
  });
}

test("replies that are learnt several times move the model further, until the range holds it back", async () => {
  const told = async (name: string, settings: readonly string[]) => {
    const { events } = await run(["steps=12", ...settings], { checkpoints: join(folder, name) });
    const steps = events.flatMap((event) => (event.type === "step" ? [event.measures!] : []));
    return { reward: mean(rewardsOf(events).slice(-3)), clipped: mean(steps.map(({ clipped }) => clipped)) };
  };
  const once = await told("once", []);
  assert.equal(once.clipped, 0); // the model is what it was when it replied
  const often = await told("often", ["rollout.iterations=3", "rollout.miniBatches=2"]);
  assert.ok(often.reward > once.reward + 0.1, `${often.reward} and ${once.reward}`);
  assert.ok(often.clipped > 0.1, `${often.clipped}`);
  const range = ["objective.low=10", "objective.high=1000000"];
  const wide = await told("wide", ["rollout.iterations=3", "rollout.miniBatches=2", ...range]);
  assert.equal(wide.clipped, 0);
});

test("ppo: what is rewarded becomes likely, and its value head is trained", async () => {
  const { events, checkpoint } = await run(["stage=ppo", "objective.kl=0"], { checkpoints: join(folder, "ppo") });
  const found = rewardsOf(events);
  assert.ok(mean(found.slice(0, 3)) < 0.25, `${mean(found.slice(0, 3))} at first`);
  assert.ok(mean(found.slice(-3)) > 0.5, `${mean(found.slice(-3))} at last`);
  const states = await readFile(join(checkpoint, "train/states.safetensors"));
  assert.ok(states.includes("weights.value.weight"));
});

test("ppo learns what a reward model prefers, which reads replies as it read answers", async () => {
  const likes = ["e we see me", "be he she we", "the bee", "he sees me"]; // it comes to like the letter e
  const pair = (i: number): object => ({ prompt: ASKED[i % 6], chosen: likes[i % 4], rejected: "a cat is at a bath" });
  await prepareRows(
    folder,
    "likes",
    Array.from({ length: 24 }, (_, i) => pair(i)),
  );
  const prepared = await prepareRun(stageRecipe(folder, "reward", "likes", ["steps=30"]), { threads: 1 });
  const executor = tiny;
  const looks: Readonly<Record<string, number>>[] = [];
  const { checkpoint } = await train(prepared, {
    executor,
    checkpoints: join(folder, "reward"),
    onEvent: (event) => void (event.type === "validation" && "measures" in event && looks.push(event.measures)),
  });
  await prepared[Symbol.asyncDispose]();

  // of held-out answers it says what the stage said of them
  const { recipe } = prepared;
  await using model = await openRewardModel(checkpoint, recipe);
  const trainer: Beginning["trainer"] = { states: {}, rows: () => Promise.reject(), draw: () => Promise.reject() };
  await model.begin!({ trainer, executor, folder, isResumed: false });
  const held = (await readFile(join(folder, "likes/validation.jsonl"), "utf8")).trim().split("\n");
  const replies = held.map((line, i) => {
    const { prompt: messages, chosen } = JSON.parse(line) as Record<"prompt" | "chosen", { content: string }[]>;
    const judged = { messages: messages as Message[], reply: chosen[0].content, prompt: "", ended: true, row: {} };
    return { judged, line: i + 1 };
  });
  const said = await model.judge(replies);
  const off = Math.abs(mean(said.map(({ total }) => total)) - looks.at(-1)!["chosenReward"]);
  assert.ok(off < 0.01 * Math.abs(looks.at(-1)!["chosenReward"]), `${off}`);

  const rewards = JSON.stringify({ from: "model", options: { model: checkpoint } });
  const settings = ["stage=ppo", "objective.kl=0", `rewards=${rewards}`, "rollout.prompts=6", "steps=20"];
  const found = rewardsOf((await run(settings, { checkpoints: join(folder, "by-model") })).events);
  // means of five steps differ by about 0.015 where nothing is learnt
  assert.ok(mean(found.slice(-5)) > mean(found.slice(0, 5)) + 0.07, JSON.stringify(found));
  const long = { ...replies[0], judged: { ...replies[0].judged, reply: "we ".repeat(100) } };
  await assert.rejects(
    model.judge([long]),
    /line 1 of the prompts: prompt and reply have \d+ tokens, expected at most/,
  );
});

test("the distance from the reference holds a model back, and overlong replies lose some of their reward", async () => {
  const checkpoints = join(folder, "first");
  const { checkpoint } = await run(["steps=1"], { checkpoints });
  const last = async (name: string, settings: readonly string[]) => {
    const further = { ...ofStage(["objective.name=dapo", "steps=15", ...settings]), model: checkpoint };
    const recipe = parseRecipe("further.json", JSON.stringify({ ...further, tokenizer: undefined }));
    await using prepared = await prepareRun(recipe, { threads: 1 });
    const steps: Readonly<Record<string, number>>[] = [];
    await train(prepared, {
      executor: tiny,
      checkpoints: join(folder, name),
      onEvent: (event) => void (event.type === "step" && steps.push(event.measures!)),
    });
    return steps.at(-1)!;
  };
  const free = await last("free", ["objective.kl=0.0001", "objective.overlong=0"]);
  const held = await last("held", ["objective.kl=1", "objective.overlong=0"]);
  assert.ok(held["kl"] < free["kl"] / 2, `${held["kl"]} and ${free["kl"]}`);
  const fast = ["optimizer.matrices.rate=0.03", "optimizer.others.rate=0.03", "steps=30"];
  const short = await last("short", ["rollout.tokens=8", ...fast]);
  assert.ok(short["tokens"] < 5 && short["ended"] > 0.5, JSON.stringify(short));
});

test("tells each part of the reward, how long replies are and how many groups told nothing", async () => {
  const { events } = await run(["steps=2", `heldOut=${join(folder, "held.jsonl")}`, "validate.every=1"], {
    checkpoints: join(folder, "parts"),
  });
  const step = events.find((event) => event.type === "step");
  assert.deepEqual(Object.keys(step!.measures!), ["clipped", "reward", "ended", "tokens", "skipped"]);
  assert.ok(step!.measures!["tokens"] > 0 && step!.measures!["tokens"] <= 4);
  const held = events.find((event) => event.type === "validation");
  assert.ok(held !== undefined && "measures" in held && held.measures["reward"] === -held.loss && held.elements === 2);
});

test("where every reply is worth the same, the step is left out and says so", async () => {
  const same = join(folder, "same.ts");
  await writeFile(same, "export const reward = () => 1;");
  const { events } = await run([`rewards=${same}`, "steps=3"], { checkpoints: join(folder, "same") });
  const left = events.filter((event) => event.type === "left-out");
  assert.equal(left.length, 3);
  assert.match(left[0].reason, /nothing to learn/);
});

const hashOf = async (checkpoint: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(join(checkpoint, "train/states.safetensors")))
    .digest("hex");

test("a run that stops goes on to the same bytes, with other threads", async () => {
  const settings = ["steps=8", "checkpoint.every=3"];
  const whole = await run(settings, { checkpoints: join(folder, "whole") });
  const checkpoints = join(folder, "stopped");
  const abort = new AbortController();
  const onEvent = ({ type, step }: RunEvent): void => {
    if (type === "step" && step === 5) abort.abort();
  };
  await assert.rejects(run(settings, { checkpoints, onEvent, signal: abort.signal }), { name: "AbortError" });
  const rest = await run(settings, { checkpoints, resume: true, threads: 2 });
  assert.deepEqual(rewardsOf(rest.events), rewardsOf(whole.events).slice(5));
  assert.equal(await hashOf(rest.checkpoint), await hashOf(whole.checkpoint));
});

test("what does not fit together is refused by its field", async () => {
  const refused = async (settings: readonly string[], field: string): Promise<void> => {
    const prepare = async () => await (await prepareRun(ofStage(settings)))[Symbol.asyncDispose]();
    await assert.rejects(prepare, (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(error.field, field, error.message);
      return true;
    });
  };
  await refused(["rollout.replies=1"], "rollout.replies");
  await refused(["rollout.tokens=32"], "rollout.tokens");
  await refused(["objective.kl=0.1"], "objective.kl"); // the model is new
  await refused(["objective.name=rloo", "rollout.iterations=2"], "rollout.iterations");
  await refused(["rollout.miniBatches=49"], "rollout.miniBatches"); // of 48 replies
  const stories = JSON.stringify({ from: "model", options: { model: storiesModel.path } });
  await refused([`rewards=${stories}`], "rewards.options.model");
  await refused(['rewards={"from":"model","options":{}}'], "rewards.options");
  await refused(["stage=pretrain"], "rollout");
  await refused(["objective.name=dpo"], "objective.name");
});
