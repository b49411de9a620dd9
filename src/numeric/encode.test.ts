// Encoding of blocks against ggml's own quantizer: rows of models, heavy tails, outliers and zeros, byte for byte, with
// and without importances of columns.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { readData } from "../../test/safetensors-data.ts";
import { ShapeError } from "../base/errors.ts";
import { type FormatName, formats } from "./registry.ts";

const golden = await readData(resolve(import.meta.dirname, "../../test/golden/numeric/quantizer.safetensors"));
const input = golden.input.f32;
const importance = golden.imatrix.f32;
const encoded = (Object.keys(formats) as FormatName[]).filter(
  (name) => formats[name].encode !== undefined && formats[name].blockSize > 1,
);

/** The sum of squared errors, each times its column's importance. */
function weightedError(name: FormatName, bytes: Uint8Array): number {
  const values = formats[name].decode(bytes, input.length);
  let sum = 0;
  for (const [i, value] of values.entries()) sum += importance[i % importance.length] * (value - input[i]) ** 2;
  return sum;
}

describe("encoding", () => {
  for (const name of encoded) {
    const encode = formats[name].encode!;

    test(`${name} gives the bytes of ggml's quantizer`, () => {
      assert.deepEqual(encode(input), golden[`${name}.quantized`].bytes);
    });

    const weighted = golden[`${name}.quantized_imatrix`];
    if (weighted === undefined) {
      test(`${name} has no search that importances could guide`, () => {
        assert.deepEqual(encode(input, importance), encode(input));
      });
    } else {
      test(`${name} gives the bytes of ggml's quantizer with importances, and a smaller error where they are`, () => {
        const bytes = encode(input, importance);
        assert.deepEqual(bytes, weighted.bytes);
        assert.ok(weightedError(name, bytes) < 0.95 * weightedError(name, encode(input)));
      });
    }

    test(`${name} encodes rows one by one as all at once`, () => {
      const bytes = encode(input, importance);
      const rowBytes = bytes.length / 16;
      for (const row of [0, 7, 15]) {
        const one = encode(input.subarray(256 * row, 256 * (row + 1)), importance);
        assert.deepEqual(one, bytes.subarray(rowBytes * row, rowBytes * (row + 1)));
      }
    });

    test(`${name} refuses importances that are no row's`, () => {
      assert.throws(() => encode(input, importance.subarray(0, formats[name].blockSize / 2)), ShapeError);
      assert.throws(() => encode(input.subarray(0, 256), new Float32Array(512)), ShapeError);
      assert.throws(() => encode(input, new Float32Array(0)), ShapeError);
    });
  }
});
