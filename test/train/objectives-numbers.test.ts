// Numbers that objectives take as inputs against those of PyTorch (test/golden/training): advantages, the best of several
// answers, targets kept by a template. And which tokens are hidden.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import { generalisedAdvantages, groupAdvantages, whitened } from "../../src/train/objectives/advantages.ts";
import { bestOf } from "../../src/train/objectives/best-of-n.ts";
import { maskTokens } from "../../src/train/objectives/masked-tokens.ts";
import { tempered } from "../../src/train/policy/tempered.ts";
import { logProbabilities, logits } from "../../src/train/scorer.ts";
import { assertRounded } from "../gradients/golden.ts";
import { readData } from "../safetensors-data.ts";
import { ask, batchOf, drawn } from "./objectives-cases.ts";

const data = (name: string) => readData(join(import.meta.dirname, `../golden/training/preference/${name}.safetensors`));

const settings: Readonly<Record<string, [number, number, number]>> = {
  gae: [0.05, 1, 0.95],
  gae_discount: [0.1, 0.99, 0.9],
};
for (const [name, [kl, gamma, lambda]] of Object.entries(settings)) {
  test(`${name}: rewards, advantages and returns of tokens`, async () => {
    const tensors = await data(name);
    const mask = tensors["in.mask"].i32;
    const found = { rewards: new Float64Array(21), advantages: new Float64Array(21), returns: new Float64Array(21) };
    for (let answer = 0; answer < 3; answer++) {
      const first = answer * 7;
      const length = mask.subarray(first, first + 7).reduce((a, b) => a + b);
      const part = (key: string): Float32Array => tensors[`in.${key}`].f32.subarray(first, first + length);
      const [logProbabilities, reference, values] = [part("logp_old"), part("logp_ref"), part("values_old")];
      const score = tensors["in.score"].f32[answer];
      const its = generalisedAdvantages({ score, logProbabilities, reference, values }, { kl, gamma, lambda });
      for (const key of ["rewards", "advantages", "returns"] as const) found[key].set(its[key], first);
    }
    for (const [key, values] of Object.entries(found)) assertRounded(values, tensors[`out.${key}`].f32, key);
    const kept = [...mask.keys()].filter((i) => mask[i] === 1);
    const white = new Float64Array(21);
    for (const [at, value] of whitened(kept.map((i) => found.advantages[i])).entries()) white[kept[at]] = value;
    assertRounded(white, tensors["out.whitened"].f32, "whitened");
  });
}

test("answers that are all as good have no advantage", () => {
  assert.deepEqual([...groupAdvantages([0.5, 0.5, 0.5])], [0, 0, 0]);
});

test("the best of several answers is the first of the largest score", async () => {
  const tensors = await data("best_of_n");
  const best = [0, 1, 2, 3].map((row) => bestOf(tensors["in.scores"].f32.subarray(5 * row, 5 * row + 5)));
  assert.deepEqual(best, [...tensors["out.index"].i32]);
  assert.equal(bestOf([1, 3, 3]), 1);
  assert.throws(() => bestOf([1, NaN]), UsageError);
  assert.throws(() => bestOf([]), UsageError);
});

test("hidden tokens: a share of those that may be, mostly by the mask, the same for equal seeds", () => {
  const ids = Int32Array.from({ length: 20_000 }, (_, i) => i % 100);
  const options = { maskId: 3, vocabularySize: 100, keeps: (id: number) => id < 10 };
  const { ids: read, outputRows, targets } = maskTokens(ids, options, 7, 2);
  const share = outputRows.length / (0.9 * ids.length);
  assert.ok(Math.abs(share - 0.15) < 0.01, String(share));
  assert.ok(targets.every((id) => id >= 10));
  assert.ok(targets.every((id, i) => id === ids[outputRows[i]]));
  const hidden = outputRows.filter((row) => read[row] === 3).length / outputRows.length;
  const same = outputRows.filter((row) => read[row] === ids[row]).length / outputRows.length;
  assert.ok(Math.abs(hidden - 0.8) < 0.03 && Math.abs(same - 0.1) < 0.03, `${hidden} hidden, ${same} as they were`);
  const chosen = new Set(outputRows);
  assert.ok(ids.every((id, row) => chosen.has(row) || read[row] === id));
  assert.deepEqual(maskTokens(ids, options, 7, 2), maskTokens(ids, options, 7, 2));
  assert.notDeepEqual(maskTokens(ids, options, 7, 3).outputRows, outputRows);
  assert.throws(() => maskTokens(ids, { ...options, maskId: 100 }, 7, 2), UsageError);
});

test("replies drawn at a temperature have the log-probabilities of logits divided by it", async () => {
  const { batch } = batchOf(drawn);
  const rows = await ask(logits, batch);
  const width = rows.length / batch.targets.length;
  for (const temperature of [0.5, 0.7, 1, 2]) {
    const found = await ask((x) => logProbabilities(tempered(x, temperature)), batch);
    for (const [row, target] of batch.targets.entries()) {
      const scaled = Array.from(rows.subarray(row * width, (row + 1) * width), (value) => value / temperature);
      const expected = scaled[target] - Math.log(scaled.reduce((sum, value) => sum + Math.exp(value), 0));
      assert.ok(Math.abs(found[row] - expected) < 1e-5, `${temperature}, row ${row}: ${found[row]}, ${expected}`);
    }
  }
});
