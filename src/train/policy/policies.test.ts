// What each policy makes of the same answers and rewards, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { type JudgedAnswer, policyOf } from "./policies.ts";
import { tokenRewardsOf } from "./token-rewards.ts";

const answer = (group: number, reward: number, tokens: number): JudgedAnswer => ({
  group,
  reward,
  old: new Float32Array(tokens).fill(-1),
  reference: new Float32Array(tokens).fill(-1.5),
  values: new Float32Array(tokens).fill(0.5),
});
/** Two prompts, their answers mixed. */
const answers = [answer(0, 1, 2), answer(1, 5, 1), answer(0, 0, 4), answer(1, 3, 2)];
const clip = { low: 0.2, high: 0.2 };
const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i] - value) < 1e-3, `${found[i]}, ${value}`);
};

test("grpo: an answer's tokens share its weight, and its advantage among the answers to its prompt", () => {
  const inputs = policyOf({ name: "grpo", ...clip, kl: 0.1 }, 8).inputs(answers);
  assert.deepEqual(
    inputs.map(({ weight }) => weight),
    [0.5, 1, 0.25, 0.5],
  );
  const half = Math.SQRT1_2; // of two answers: ± 1 / √2
  close(inputs[0].rows!.advantages, [half, half]);
  close(inputs[1].rows!.advantages, [half]);
  close(inputs[2].rows!.advantages, [-half, -half, -half, -half]);
  close(inputs[3].rows!.reference, [-1.5, -1.5]);
  assert.ok(!("reference" in policyOf({ name: "grpo", ...clip, kl: 0 }, 8).inputs(answers)[0].rows!));
});

test("dapo: every token counts the same; drgrpo: rewards are not divided by their deviation", () => {
  const dapo = policyOf({ name: "dapo", ...clip, kl: 0, overlong: 0 }, 8).inputs(answers);
  assert.deepEqual(
    dapo.map(({ weight }) => weight),
    [1, 1, 1, 1],
  );
  const drgrpo = policyOf({ name: "drgrpo", ...clip, kl: 0 }, 8);
  assert.equal(drgrpo.elements, "answers");
  close(drgrpo.inputs(answers)[1].rows!.advantages, [1]);
});

test("gspo and rloo: a number for each answer, rloo's against the others and less the distance from the reference", () => {
  close(
    policyOf({ name: "gspo", ...clip }, 8)
      .inputs(answers)
      .map(({ each }) => each!.advantages),
    [1, 1, -1, -1].map((sign) => sign * Math.SQRT1_2),
  );
  const rloo = (kl: number) =>
    policyOf({ name: "rloo", kl }, 8)
      .inputs(answers)
      .map(({ each }) => each!.advantages);
  close(rloo(0), [1, 2, -1, -2]);
  close(rloo(1), [1 - 1 + 2, 2 - 0.5 + 1, -1 - 2 + 1, -2 - 1 + 0.5]); // half a nat a token
});

test("ppo: advantages of all tokens are brought to mean 0 and variance 1, returns are the rewards to come", () => {
  const settings = { name: "ppo", ...clip, valueRange: 0.2, valueWeight: 0.1, kl: 0, gamma: 1, lambda: 1 } as const;
  const inputs = policyOf(settings, 8).inputs(answers);
  const all = inputs.flatMap(({ rows }) => Array.from(rows!.advantages));
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const variance = all.reduce((sum, a) => sum + (a - mean) ** 2, 0) / (all.length - 1);
  close([mean, variance], [0, 1]);
  close(inputs[0].rows!.returns, [1, 1]);
  close(inputs[3].rows!.returns, [3, 3]);
  close(inputs[2].rows!.oldValues, [0.5, 0.5, 0.5, 0.5]);
});

test("what a token is worth besides is its own advantage, a reward on its way, or a part of the whole's", () => {
  const told = [{ ...answers[0], tokenRewards: Float32Array.of(0, -1) }, ...answers.slice(1)];
  const drgrpo = policyOf({ name: "drgrpo", ...clip, kl: 0 }, 8);
  close(drgrpo.inputs(told)[0].rows!.advantages, [0.5, -0.5]);
  close(drgrpo.inputs(told)[2].rows!.advantages, [-0.5, -0.5, -0.5, -0.5]);
  const rloo = policyOf({ name: "rloo", kl: 0 }, 8);
  close(
    rloo.inputs(told).map(({ each }) => each!.advantages),
    [0, 2, 0, -2],
  );
  const settings = { name: "ppo", ...clip, valueRange: 0.2, valueWeight: 0.1, kl: 0, gamma: 1, lambda: 1 } as const;
  const returns = (of: readonly JudgedAnswer[]) => policyOf(settings, 8).inputs(of)[0].rows!.returns;
  close(returns(answers), [1, 1]);
  close(returns(told), [0, 0]);
  close(returns([{ ...answers[0], tokenRewards: Float32Array.of(-1, 0) }]), [0, 1]);
});

test("a place of a text is that of the token that stands there, its end that of the token that ended it", () => {
  const pieces = ["白日", "依", "山", "\u{20000}", ""]; // the last ends replies
  const tokenizer = {
    decode: (ids: readonly number[]) => ids.map((id) => pieces[id]).join(""),
  } as unknown as Tokenizer;
  const of = (...places: number[]) =>
    tokenRewardsOf(
      tokenizer,
      [0, 1, 2, 3, 4],
      places.map((place) => ({ place, worth: -1 })),
    );
  assert.deepEqual([...of(0, 1)!], [-2, 0, 0, 0, 0]);
  assert.deepEqual([...of(2, 4, 5)!], [0, -1, 0, -2, 0]);
  assert.deepEqual([...of(6, 7)!], [0, 0, 0, 0, -2]);
  assert.equal(tokenRewardsOf(tokenizer, [0], undefined), undefined);
});
