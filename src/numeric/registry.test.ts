// Every number format against ggml's reference: values bit for bit, encoded bytes exactly, on golden rows and (where
// the reference data is there) on all of it.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import { type DataTensor, readData } from "../../test/safetensors-data.ts";
import { sharedData } from "../../test/shared-data.ts";
import { bytesForRow, formatByGgmlType, type FormatName, formats } from "./registry.ts";

const names = Object.keys(formats) as FormatName[];
const withGolden = names.filter((name) => name !== "f64" && name !== "f32");
const goldenData = (file: string) => readData(resolve(import.meta.dirname, "../../test/golden/numeric", file));
const golden = { ...(await goldenData("blocks.safetensors")), ...(await goldenData("low-bit-blocks.safetensors")) };

function assertDecodes(name: FormatName, blocks: DataTensor, values: DataTensor): void {
  const decoded = formats[name].decode(blocks.bytes, values.f32.length);
  assert.deepEqual(new Uint32Array(decoded.buffer), new Uint32Array(values.bytes.buffer));
}

function assertEncodes(name: FormatName, input: DataTensor, quantized: DataTensor): void {
  const { encode } = formats[name];
  assert.ok(encode, `${name} has no encode`);
  assert.deepEqual(encode(input.f32), quantized.bytes);
}

/** The rows' dot products with `x` in f64, eight rows of 256 one after another. */
function dots(values: Float32Array, x: Float32Array): number[] {
  const sums = Array.from({ length: values.length / x.length }, () => 0);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / x.length)] += values[i] * x[i % x.length];
  return sums;
}

describe("number formats", () => {
  for (const name of withGolden) {
    test(`${name} decodes golden blocks bit for bit`, () => {
      assertDecodes(name, golden[`${name}.blocks`], golden[`${name}.values`]);
    });

    // the searches of K-quants are held against ggml's own quantizer: encode.test.ts
    const { [`${name}.input`]: input, [`${name}.quantized`]: quantized } = golden;
    if (input !== undefined) {
      test(`${name} encodes as the reference does, byte for byte`, () => assertEncodes(name, input, quantized));
    }

    const all = sharedData(`quants/${name.toUpperCase()}.safetensors`);
    test(`${name} equals the reference on all rows of the reference data`, { skip: all.skip }, async () => {
      const data = await readData(all.path);
      assertDecodes(name, data.blocks, data.values);
      if (data.input !== undefined) assertEncodes(name, data.input, data.quantized);
      const decoded = formats[name].decode(data.blocks.bytes, data.values.f32.length);
      for (const [i, sum] of dots(decoded, data.x.f32).entries()) {
        const error = Math.abs(sum - data.dot.f32[i]);
        // both sums are f64; the reference was rounded once to f32
        assert.ok(error <= 2 ** -24 * Math.abs(sum) + 1e-12 * data.dot_abs.f32[i], `dot ${i}: ${sum}`);
      }
    });

    if (formats[name].blockSize === 1) continue;
    const quantizer = sharedData(`quants/reference/${name.toUpperCase()}.safetensors`);
    test(`${name} decodes what ggml's own quantizer made of model rows`, { skip: quantizer.skip }, async () => {
      const data = await readData(quantizer.path);
      assertDecodes(name, data.quantized ?? data.quantized_ones, data.dequantized);
    });
  }

  test("f32 and f64 keep every value that f32 holds", () => {
    const values = Float32Array.of(0, -0, 1.5, -3.4028234663852886e38, 2 ** -149, Infinity, Math.PI);
    for (const format of [formats.f32, formats.f64]) {
      const bytes = format.encode?.(values);
      assert.ok(bytes);
      assert.deepEqual(format.decode(bytes, values.length), values);
    }
  });

  test("f64 is rounded to f32 when decoded", () => {
    const bytes = new Uint8Array(Float64Array.of(0.1, 1 + 2 ** -30).buffer);
    assert.deepEqual(formats.f64.decode(bytes, 2), Float32Array.of(0.1, 1));
  });

  test("decodes at any byte offset of a buffer", () => {
    for (const name of withGolden) {
      const { bytes } = golden[`${name}.blocks`];
      const { f32 } = golden[`${name}.values`];
      const moved = new Uint8Array(bytes.length + 1);
      moved.set(bytes, 1);
      assert.deepEqual(formats[name].decode(moved.subarray(1), f32.length), f32.slice());
    }
  });

  test("refuses part of a block and missing bytes", () => {
    assert.throws(() => formats.q4_0.decode(new Uint8Array(100), 33), ShapeError);
    assert.throws(() => formats.q4_k.decode(new Uint8Array(143), 256), ShapeError);
    assert.throws(() => formats.q8_0.encode?.(new Float32Array(31)), ShapeError);
    assert.throws(() => formats.f16.decode(new Uint8Array(4), -2), ShapeError);
  });
});

describe("registry", () => {
  test("every row stands under its own name and its own GGUF type", () => {
    for (const name of names) assert.equal(formats[name].name, name);
    assert.equal(formatByGgmlType.size, names.length);
    assert.equal(formatByGgmlType.get(12), formats.q4_k);
  });

  test("bytes of a row follow from its blocks", () => {
    assert.equal(bytesForRow("q4_k", 512), 288);
    assert.equal(bytesForRow("f16", 3), 6);
    assert.equal(bytesForRow("q8_0", 0), 0);
    assert.throws(() => bytesForRow("q6_k", 128), ShapeError);
    assert.throws(() => bytesForRow("f32", 1.5), ShapeError);
  });
});
