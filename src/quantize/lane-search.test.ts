// Searches over several runs at once against the plain ones, bit by bit: codes, scales and minima of runs of all kinds, and
// whole blocks of the formats that search.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { philox } from "../base/random.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import { type AffineSearch, plainSearches } from "../numeric/search.ts";
import { LaneSearches } from "./lane-search.ts";

const lanes = new LaneSearches();

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

describe("searches side by side find what plain ones find", () => {
  const searches: readonly (AffineSearch & { readonly run: number })[] = [
    { run: 32, most: 15, first: -1, step: Math.fround(0.1), steps: 20 },
    { run: 32, most: 31, first: Math.fround(-0.9), step: Math.fround(0.05), steps: 36 },
    { run: 16, most: 3, first: -0.5, step: Math.fround(0.1), steps: 15, bySize: true },
  ];
  for (const { run, ...search } of searches) {
    test(`with a minimum, codes to ${search.most}, runs of ${run}`, () => {
      const found = lanes.affine(x, costs, run, search);
      const expected = plainSearches.affine(x, costs, run, search);
      assert.deepEqual(found.codes, expected.codes);
      assert.deepEqual(bitsOf(found.scales), bitsOf(expected.scales));
      assert.deepEqual(bitsOf(found.minima), bitsOf(expected.minima));
    });
  }
  for (const half of [4, 32]) {
    test(`without one, codes to ${2 * half - 1}`, () => {
      const found = lanes.signed(x, costs, 16, half);
      const expected = plainSearches.signed(x, costs, 16, half);
      assert.deepEqual(found.codes, expected.codes);
      assert.deepEqual(bitsOf(found.scales), bitsOf(expected.scales));
    });
  }
});

describe("blocks are the same bytes whoever searches", () => {
  const values = valuesOf(256 * 16, 5);
  const importance = Float32Array.from({ length: 512 }, (_, i) => (1 + uniform(7, i)) ** 2);
  for (const name of ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"] satisfies FormatName[]) {
    test(`of ${name}, with importances and without`, () => {
      const encode = formats[name].encode!;
      for (const given of [undefined, importance]) {
        assert.deepEqual(encode(values, given, lanes), encode(values, given));
      }
    });
  }
});
