import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LiangError, UsageError } from "../base/errors.ts";
import { uniform } from "../base/random.ts";
import { LOGIT_BLOCK } from "../models/trace.ts";
import { Sampler } from "./sampler.ts";
import { checkedSettings, neutralSettings } from "./sampling/settings.ts";
import type { SamplingSettings } from "./types.ts";

const VOCABULARY = 2000; // more than one block of the row scan
const noHistory = new Int32Array(0);
const row = (seed: number, size = VOCABULARY): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => 12 * (uniform(seed, 9, i) - 0.5));
const settings = (some: Partial<SamplingSettings>): SamplingSettings => ({ ...neutralSettings, ...some });

/** The same steps with a full sort, written as plainly as possible. */
function sortedTwin(logits: Float32Array, { temperature, topK, topP, minP, typicalP }: SamplingSettings): number[] {
  let kept = Array.from(logits, (logit, id) => ({ id, score: logit / temperature }));
  kept.sort((a, b) => b.score - a.score);
  const probabilities = (): number[] => {
    const weights = kept.map(({ score }) => Math.exp(score - kept[0].score));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  };
  if (topK > 0) kept = kept.filter(({ score }) => score >= kept[Math.min(topK, kept.length) - 1].score);
  const p = probabilities();
  let before = 0;
  if (topP < 1) kept = kept.filter((_, i) => (before += p[i]) - p[i] < topP);
  const q = probabilities();
  if (minP > 0) kept = kept.filter((_, i) => q[i] >= minP * q[0]);
  if (typicalP < 1) {
    const r = probabilities();
    const entropy = r.reduce((sum, x) => sum - x * Math.log(x), 0);
    const order = kept.map((item, i) => ({ item, mass: r[i], key: Math.abs(-Math.log(r[i]) - entropy) }));
    order.sort((a, b) => a.key - b.key);
    let mass = 0;
    kept = order.filter((entry) => (mass += entry.mass) - entry.mass < typicalP).map(({ item }) => item);
  }
  return kept.map(({ id }) => id).sort((a, b) => a - b);
}

/** What a program gives beside a row. */
const peaksOf = (logits: Float32Array): Float32Array =>
  Float32Array.from({ length: Math.ceil(logits.length / LOGIT_BLOCK) }, (_, block) =>
    Math.max(...logits.subarray(block * LOGIT_BLOCK, (block + 1) * LOGIT_BLOCK)),
  );

describe("a sampler that is given the peaks of a row", () => {
  const history = Int32Array.from({ length: 30 }, (_, i) => (i * 67) % VOCABULARY);
  const cases: Record<string, Partial<SamplingSettings>> = {
    greedy: {},
    "top-k": { temperature: 0.8, topK: 40, topP: 0.95 },
    "plain temperature": { temperature: 1 },
    "penalties that move the best": { repetitionPenalty: 3, presencePenalty: 9 },
    "a bias that makes another the best": { logitBias: { 1999: 100 } },
    "a bias that forbids the best": { logitBias: { [row(2).indexOf(Math.max(...row(2)))]: -Infinity } },
  };
  for (const [name, some] of Object.entries(cases)) {
    test(`chooses what it chooses without them: ${name}`, () => {
      const [given, finding] = [new Sampler(VOCABULARY), new Sampler(VOCABULARY)];
      for (const seed of [1, 2, 3]) {
        const logits = row(seed);
        const ids = Int32Array.from([...history, logits.indexOf(Math.max(...logits))]);
        const all = settings({ ...some, seed });
        const expected = finding.choose(logits, ids, all, 3);
        assert.deepEqual(given.choose(logits, ids, all, 3, peaksOf(logits)), expected);
      }
    });
  }
  test("refuses a row whose peaks tell of a NaN", () => {
    const peaks = peaksOf(row(1));
    peaks[1] = NaN;
    assert.throws(() => new Sampler(VOCABULARY).choose(row(1), noHistory, settings({}), undefined, peaks), LiangError);
  });
});

describe("sampler", () => {
  const combinations: Partial<SamplingSettings>[] = [
    { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 },
    { temperature: 0.3, topP: 0.9 },
    { temperature: 50, topP: 0.9 }, // flat: the best few hold too little
    { temperature: 1.5, minP: 0.2 },
    { temperature: 1, typicalP: 0.5 },
    { temperature: 1, topK: 1 },
    { temperature: 1, topK: VOCABULARY + 1, topP: 0.5, typicalP: 0.7 },
    { temperature: 2, topK: 300, minP: 0.1, typicalP: 0.9 },
  ];
  for (const some of combinations) {
    test(`${JSON.stringify(some)} keeps what a full sort keeps`, () => {
      const sampler = new Sampler(VOCABULARY);
      for (let seed = 0; seed < 5; seed++) {
        const all = settings(some);
        const found = sampler.distribution(row(seed), noHistory, all);
        const support = Array.from(found.keys()).filter((id) => found[id] > 0);
        assert.deepEqual(support, sortedTwin(row(seed), all));
        assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - 1) < 1e-12);
      }
    });
  }

  test("temperature 0 takes the first of equal largest logits", () => {
    const logits = new Float32Array(VOCABULARY);
    logits[700] = logits[701] = logits[1999] = 3;
    assert.equal(new Sampler(VOCABULARY).choose(logits, noHistory, settings({})).id, 700);
  });

  test("a temperature near 0 is greedy, whatever the steps", () => {
    const sampler = new Sampler(VOCABULARY);
    const best = sampler.choose(row(1), noHistory, settings({})).id;
    for (const some of [{}, { topK: 5 }, { topP: 0.9 }, { minP: 0.1 }, { typicalP: 0.5 }]) {
      assert.equal(sampler.choose(row(1), noHistory, settings({ temperature: 1e-308, ...some })).id, best);
    }
  });

  test("the same seed and position draw the same id, other positions draw others", () => {
    const sampler = new Sampler(VOCABULARY);
    const draw = (seed: number, length: number): number =>
      sampler.choose(row(1), new Int32Array(length), settings({ temperature: 5, seed })).id;
    assert.equal(draw(7, 3), draw(7, 3));
    assert.ok(new Set(Array.from({ length: 20 }, (_, length) => draw(7, length))).size > 10);
    assert.ok(new Set(Array.from({ length: 20 }, (_, seed) => draw(seed, 3))).size > 10);
  });

  test("draws follow the distribution", () => {
    const sampler = new Sampler(4);
    const logits = Float32Array.of(0, 1, 2, -Infinity);
    const all = settings({ temperature: 1 });
    const expected = sampler.distribution(logits, noHistory, all);
    const counts = [0, 0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) counts[sampler.choose(logits, new Int32Array(i % 50), { ...all, seed: i }).id]++;
    for (const [id, count] of counts.entries()) {
      const deviation = Math.sqrt(draws * expected[id] * (1 - expected[id]));
      assert.ok(Math.abs(count - draws * expected[id]) <= 4 * deviation, `id ${id}: ${count} draws`);
    }
  });

  test("penalties look at the last penaltyTokens ids only", () => {
    const sampler = new Sampler(3);
    const logits = Float32Array.of(1, 0.9, 0.5);
    const history = Int32Array.of(0, 1, 1);
    const choose = (penaltyTokens: number): number =>
      sampler.choose(logits, history, settings({ presencePenalty: 1, penaltyTokens })).id;
    assert.equal(choose(-1), 2);
    assert.equal(choose(2), 0);
    assert.equal(choose(0), 0);
    assert.equal(sampler.choose(logits, history, settings({ frequencyPenalty: 0.3, presencePenalty: 0.2 })).id, 0);
  });

  test("bias comes before the penalties and can forbid an id", () => {
    const sampler = new Sampler(3);
    const logits = Float32Array.of(1, 2, 3);
    assert.equal(sampler.choose(logits, noHistory, settings({ logitBias: { 2: -Infinity } })).id, 1);
    // (3 - 4) * 10 = -10 where the penalty before the bias would give 3 / 10 - 4 = -3.7
    const both = settings({ logitBias: { 0: -6, 1: -6, 2: -4 }, repetitionPenalty: 10 });
    assert.equal(sampler.choose(logits, Int32Array.of(2), both).id, 1);
  });

  test("the row is as it was after a choice", () => {
    const logits = row(3);
    const all = settings({ temperature: 1, repetitionPenalty: 1.3, frequencyPenalty: 1, logitBias: { 5: 3, 6: -1 } });
    new Sampler(VOCABULARY).choose(logits, Int32Array.of(5, 5, 6, 900), all, 3);
    assert.deepEqual(logits, row(3));
  });

  test("log-probabilities are of the raw row, best first, whatever the settings do", () => {
    const sampler = new Sampler(4);
    const logits = Float32Array.of(0, 2, 1, 2);
    const total = Math.log(1 + Math.E + 2 * Math.E ** 2);
    const choice = sampler.choose(logits, Int32Array.of(1, 3), settings({ temperature: 0, presencePenalty: 5 }), 2);
    assert.equal(choice.id, 2);
    assert.ok(Math.abs((choice.logprob as number) - (1 - total)) < 1e-12);
    assert.deepEqual(
      choice.top?.map(({ id, logprob }) => [id, Math.abs(logprob - (2 - total)) < 1e-12]),
      [
        [1, true],
        [3, true],
      ],
    );
    assert.deepEqual(sampler.choose(logits, noHistory, settings({}), 0).top, []);
  });

  test("a row with a logit that is no number is an error, and the next row is read as if nothing had been", () => {
    const sampler = new Sampler(2);
    for (const row of [
      [NaN, NaN],
      [0, NaN],
      [NaN, 0],
      [-Infinity, -Infinity],
    ]) {
      const broken = (): unknown =>
        sampler.choose(Float32Array.from(row), noHistory, settings({ logitBias: { 1: 2 }, temperature: 1 }));
      assert.throws(broken, LiangError);
    }
    assert.equal(sampler.choose(Float32Array.of(1, 0), noHistory, settings({})).id, 0);
  });
});

describe("sampling settings", () => {
  test("what is missing or undefined is neutral", () => {
    assert.deepEqual(checkedSettings({ topK: 3, topP: undefined }, 10), { ...neutralSettings, topK: 3 });
  });

  const wrong: [string, object][] = [
    ["temperature", { temperature: -1 }],
    ["temperature", { temperature: NaN }],
    ["topK", { topK: 1.5 }],
    ["topP", { topP: 0 }],
    ["minP", { minP: 2 }],
    ["typicalP", { typicalP: 1.1 }],
    ["repetitionPenalty", { repetitionPenalty: 0 }],
    ["presencePenalty", { presencePenalty: Infinity }],
    ["penaltyTokens", { penaltyTokens: -2 }],
    ["seed", { seed: 0.5 }],
    ["logitBias", { logitBias: { 10: 1 } }],
    ["logitBias", { logitBias: { 1: NaN } }],
    ["topp", { topp: 0.5 }],
  ];
  for (const [field, some] of wrong) {
    test(`${JSON.stringify(some)} is refused by name`, () => {
      assert.throws(
        () => checkedSettings(some, 10),
        (error) => error instanceof UsageError && error.field === field,
      );
    });
  }
});
