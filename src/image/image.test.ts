// Pictures as Pillow resizes them and as transformers' image processors prepare them: test/golden/image says what made it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { cutPatches } from "./patches.ts";
import type { Pixels } from "./pixels.ts";
import { type ImagePreparation, prepareImage } from "./prepare.ts";
import { type Resampling, resize } from "./resize.ts";

interface Golden {
  readonly resize: readonly {
    readonly resample: Resampling;
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
    readonly rgb: readonly number[];
  }[];
}
const path = new URL("../../test/golden/image/preparation.json", import.meta.url);
const golden = JSON.parse(readFileSync(path, "utf8")) as Golden;

const picture = (width: number, height: number): Pixels => ({
  width,
  height,
  rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.imul(i, 2654435761) >>> 24),
});

describe("resizing gives Pillow's bytes", () => {
  for (const { resample, from, to, rgb } of golden.resize) {
    test(`${resample}, ${from.join(" x ")} to ${to.join(" x ")}`, () => {
      const found = resize(picture(...from), ...to, resample);
      assert.deepEqual([found.width, found.height], to);
      assert.deepEqual(Array.from(found.rgb), rgb);
    });
  }
});

const plain: ImagePreparation = {
  resize: undefined,
  resample: "bilinear",
  crop: undefined,
  rescale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

test("planes have one colour each, and patches lie from left to right and from above, after a row of zeros", () => {
  const rgb = Uint8Array.from({ length: 3 * 16 }, (_, i) => i);
  const { planes } = prepareImage({ width: 4, height: 4, rgb }, plain);
  assert.deepEqual(planes.subarray(0, 5), Float32Array.of(0, 3, 6, 9, 12));
  const patches = cutPatches(planes, 4, 2);
  assert.equal(patches.length, 5 * 12);
  assert.ok(patches.subarray(0, 12).every((value) => value === 0));
  assert.deepEqual(patches.subarray(12, 24), Float32Array.of(0, 3, 12, 15, 1, 4, 13, 16, 2, 5, 14, 17));
  assert.deepEqual(patches.subarray(24, 28), Float32Array.of(6, 9, 18, 21));
});

test("a picture that is too long for its other side is refused before it is made larger", () => {
  const settings = { ...plain, resize: { shortest: 224 } };
  assert.throws(() => prepareImage(picture(1, 200), settings), /1 x 200 pixels, expected at most 100 times/);
});
