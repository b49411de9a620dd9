import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { philox, uniform } from "./random.ts";

/** Philox 4x32-10 as its paper writes it, in integers of any size. */
function slowPhilox(seed: number, stream: number, position: number): number[] {
  const word = (value: number, index: bigint): bigint => (BigInt(value) >> (32n * index)) & 0xffffffffn;
  let [c0, c1, c2, c3] = [word(position, 0n), word(position, 1n), word(stream, 0n), word(stream, 1n)];
  let [k0, k1] = [word(seed, 0n), word(seed, 1n)];
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [
      (product1 >> 32n) ^ c1 ^ k0,
      product1 & 0xffffffffn,
      (product0 >> 32n) ^ c3 ^ k1,
      product0 & 0xffffffffn,
    ];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [c0, c1, c2, c3].map(Number);
}

describe("philox", () => {
  test("gives the known answers of Random123 (kat_vectors, philox4x32 10)", () => {
    assert.deepEqual(philox(0, 0, 0), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  });

  test("equals the integers of any size", () => {
    const values = [0, 1, 2, 0xffff, 0x10000, 0xffffffff, 2 ** 32, 2 ** 53 - 1, 123456789012345];
    for (const seed of values)
      for (const stream of values)
        for (const position of values) {
          assert.deepEqual(philox(seed, stream, position), slowPhilox(seed, stream, position));
        }
    for (let i = 0; i < 2000; i++) {
      const [a, b, c] = [0, 1, 2].map((stream) => Math.floor(uniform(9, stream, i) * 2 ** 53));
      assert.deepEqual(philox(a, b, c), slowPhilox(a, b, c));
    }
  });
});
