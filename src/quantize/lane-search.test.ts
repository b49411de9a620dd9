// Searches over several runs at once against the plain ones, bit by bit: codes, scales and minima of runs of all kinds, and
// whole blocks of the formats that search.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { philox } from "../base/random.ts";
import { findTier, tierNames } from "../device/cpu/tiers.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import {
  type AffineFits,
  type RunSearch,
  type RunSearches,
  type SignedFits,
  plainSearches,
} from "../numeric/search.ts";
import { LaneSearches, compileSearches } from "./lane-search.ts";

const RUN = 32;
/** Runs of `RUN` weights of every kind: alike, of one sign, zeros, one that sticks out, sizes that f32 hardly holds. */
const kinds: readonly ((x: number, i: number) => number)[] = [
  (x) => x,
  (x) => Math.abs(x),
  (x) => -Math.abs(x) - 1,
  () => 0,
  () => -0,
  () => 0.25,
  () => -3,
  (x, i) => (i % RUN === 5 ? 100 : x / 64),
  (x) => x * 1e-16,
  (x) => x * 1e-30,
  (x) => x * 1e18,
  (x) => Math.round(2 * x) / 2,
  (x, i) => (i % 3 === 0 ? x : 0),
];

const uniform = (seed: number, i: number): number => (philox(seed, 0, i)[0] / 2 ** 32) * 2 - 1;
function valuesOf(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) =>
    kinds[Math.floor(i / RUN) % kinds.length](uniform(seed, i) * (1 + uniform(seed + 1, i) ** 3), i),
  );
}

const bitsOf = (floats: Float32Array): Uint32Array => new Uint32Array(floats.slice().buffer);

// more than is searched at once, and runs that fill no register
const x = valuesOf(RUN * 517, 1);
const costs = Float32Array.from(x, (value, i) => (i % 97 === 0 ? 0 : Math.abs(value) + (1 + uniform(3, i)) / 4));

const encoded = (["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"] satisfies FormatName[]).map((name) => formats[name]);
const asked = encoded.flatMap(({ name, asked = [] }) => asked.map((search, i) => ({ name, i, search })));
const find = (searches: RunSearches, search: RunSearch): AffineFits | SignedFits =>
  "half" in search
    ? searches.signed(x, costs, search.run, search.half)
    : searches.affine(x, costs, search.run, search.affine);
const expected = asked.map(({ search }) => find(plainSearches, search));

const values = valuesOf(256 * 6, 5);
const importance = Float32Array.from({ length: 512 }, (_, i) => (1 + uniform(7, i)) ** 2);
const blocks = encoded.map(({ encode }) => [undefined, importance].map((given) => encode!(values, given)));

for (const name of tierNames) {
  const tier = findTier(name);
  if (typeof tier === "string") continue;
  describe(`searches side by side on ${name}`, () => {
    const { search: code, release } = compileSearches(tier);
    after(release);
    const lanes = new LaneSearches(code);
    for (const [n, { name, i, search }] of asked.entries()) {
      test(`find what plain ones find for ${name}, search ${i}`, () => {
        const found = find(lanes, search);
        assert.deepEqual(found.codes, expected[n].codes);
        assert.deepEqual(bitsOf(found.scales), bitsOf(expected[n].scales));
        if ("minima" in found) assert.deepEqual(bitsOf(found.minima), bitsOf((expected[n] as AffineFits).minima));
      });
    }

    test("make blocks of the same bytes, with importances and without", () => {
      for (const [n, { encode }] of encoded.entries()) {
        for (const [i, given] of [undefined, importance].entries()) {
          assert.deepEqual(encode!(values, given, lanes), blocks[n][i]);
        }
      }
    });
  });
}
