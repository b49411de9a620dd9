import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LiangError, NotFoundError } from "../../base/errors.ts";
import { type JudgedReply, openRewards, rewardOf } from "./reward-function.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-rewards-"));
after(() => rm(folder, { recursive: true }));

const asked = "2 + 2";
const messages = [{ role: "user", content: asked }] as const;
const judged: JudgedReply = { prompt: asked, messages, reply: " 4\n", ended: true, row: { answer: "4" } };

async function moduleOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test("a module's function gives a number, or parts whose total or sum is the reward", async () => {
  const path = await moduleOf(
    "parts.ts",
    `type Reply = { readonly reply: string; readonly row: { readonly kind?: string } };
     export const reward = ({ reply, row }: Reply) =>
       row.kind === "total" ? { total: 0.25, length: reply.length } : row.kind === "sum" ? { a: 1, b: 0.5 } : reply.length;`,
  );
  const rewards = await openRewards(path);
  const of = (kind?: string) => rewardOf(rewards, { ...judged, reply: "four", row: { kind } }, 1);
  assert.deepEqual(await of("total"), { total: 0.25, parts: { total: 0.25, length: 4 } });
  assert.deepEqual(await of("sum"), { total: 1.5, parts: { a: 1, b: 0.5 } });
  assert.deepEqual(await of(), { total: 4, parts: {} });
});

test("a reward may say what places are worth besides", async () => {
  const whole = { total: 1, form: 0.5 };
  const places = [{ place: 2, worth: -1 }];
  const of = (judgement: unknown) =>
    rewardOf({ name: "mine", source: "", judge: () => judgement as number }, judged, 1);
  assert.deepEqual(await of({ whole, places }), { total: 1, parts: whole, places });
  assert.deepEqual(await of({ whole: 2, places: [] }), { total: 2, parts: {} });
  for (const wrong of [3, [3], [{ place: 0.5, worth: 1 }], [{ place: 1, worth: NaN }]]) {
    await assert.rejects(of({ whole, places: wrong }), /places are .*expected a list of \{ place, worth \}/);
  }
});

test("a module that needs something first is opened with the recipe's options", async () => {
  const path = await moduleOf("opened.ts", "export const openReward = async ({ worth }) => () => worth;");
  assert.equal((await rewardOf(await openRewards(path, { worth: 3 }), judged, 1)).total, 3);
});

test("an error names the file and the line of the prompt", async () => {
  const rewards = await openRewards(
    await moduleOf("bad.ts", "export const reward = ({ row }) => (row.answer === '4' ? NaN : row.none.length);"),
  );
  const isAbout = (text: RegExp) => (error: unknown) =>
    error instanceof LiangError && error.code === "reward_failed" && text.test(error.message);
  await assert.rejects(rewardOf(rewards, judged, 17), isAbout(/bad\.ts, for line 17 of the prompts: .*NaN/));
  await assert.rejects(rewardOf(rewards, { ...judged, row: {} }, 3), isAbout(/bad\.ts, for line 3 .*length/));
  await assert.rejects(
    openRewards(await moduleOf("none.ts", "export const a = 1;")),
    isAbout(/none\.ts .* exports neither/),
  );
  await assert.rejects(openRewards(join(folder, "missing.ts")), NotFoundError);
});

test("built in: the row's answer, and poems", async () => {
  const answer = await openRewards("answer");
  assert.equal((await rewardOf(answer, judged, 1)).total, 1);
  assert.equal((await rewardOf(answer, { ...judged, reply: "5" }, 1)).total, 0);
  const poem = await openRewards("poem");
  const climbing = {
    ...judged,
    reply: "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。",
    row: { request: { form: "五绝" } },
  };
  assert.equal((await rewardOf(poem, climbing, 1)).total, 1);
  assert.equal((await rewardOf(poem, { ...climbing, ended: false }, 1)).total, 0);
});
