// Every objective on the cpu executor: loss, measures and gradients of a tiny model as on the reference.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gradientState } from "../../src/train/programs.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { cases, open } from "./objectives-cases.ts";

// f32 sums of tens of terms, through two layers
const TOLERANCE = 2e-5;
/** Another than that of the references: where both models are the same, signs of differences are chance. */
const SEED = 9;
const tiny = tinyExecutor();

for (const [name, { objective, batch }] of Object.entries(cases)) {
  test(`${name}: as on the reference`, async () => {
    await using found = await open(objective, SEED, tiny);
    await using expected = await open(objective, SEED);
    const given = await batch();
    const [one, other] = [await found.accumulate([given]), await expected.accumulate([given])];
    const numbers = ({ loss, norm, measures }: typeof one) => Object.entries({ loss, norm, ...measures });
    for (const [i, [key, value]] of numbers(one).entries()) {
      const [, reference] = numbers(other)[i];
      assert.ok(
        Math.abs(value - reference) <= TOLERANCE * Math.max(1, Math.abs(reference)),
        `${key} ${value}, ${reference}`,
      );
    }
    for (const weight of expected.trained.keys()) {
      const [values, references] = [found, expected].map(({ states }) => states[gradientState(weight)]);
      const largest = references.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = values.reduce((most, value, i) => Math.max(most, Math.abs(value - references[i])), 0);
      assert.ok(off <= TOLERANCE * Math.max(1, largest), `${weight} differs by ${off}, its largest is ${largest}`);
    }
  });
}
