// Scalar conversions of f16 and bf16 against tables of ml_dtypes and torch, and f16 against the host's own.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { readData } from "../../test/safetensors-data.ts";
import { sharedData } from "../../test/shared-data.ts";
import { bf16Bits, bf16Value } from "./bf16.ts";
import { f16Bits, f16Value } from "./f16.ts";

const golden = (name: string) => resolve(import.meta.dirname, "../../test/golden/numeric", name);
const isNanF16 = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
const isNanBf16 = (bits: number) => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0;

async function assertRounding(path: string): Promise<void> {
  const { f32_bits, is_nan, f16_bits, bf16_bits } = await readData(path);
  const values = new Float32Array(f32_bits.bytes.buffer);
  assert.ok(values.length > 600);
  for (const [i, value] of values.entries()) {
    if (is_nan.bytes[i]) {
      assert.ok(isNanF16(f16Bits(value)) && isNanBf16(bf16Bits(value)), `NaN ${i}`);
    } else {
      assert.equal(f16Bits(value), f16_bits.i32[i], `f16 of ${value}`);
      assert.equal(bf16Bits(value), bf16_bits.i32[i], `bf16 of ${value}`);
    }
  }
}

describe("f16 and bf16", () => {
  test("round f32 to nearest, ties to even, with infinities and subnormals", () =>
    assertRounding(golden("float_formats.safetensors")));

  const formats = sharedData("quants/float_formats.safetensors");
  test("round all of the reference table", { skip: formats.skip }, () => assertRounding(formats.path));

  test("f64 becomes f16 in one rounding, not through f32", async () => {
    const { f64_bytes, f32_bits, f16_bits, f16_via_f32_bits } = await readData(golden("f64_narrowing.safetensors"));
    const values = new Float64Array(f64_bytes.bytes.buffer);
    let differ = 0;
    for (const [i, value] of values.entries()) {
      if (Number.isNaN(value)) continue;
      assert.equal(f16Bits(value), f16_bits.i32[i], `f16 of ${value}`);
      assert.equal(f16Bits(Math.fround(value)), f16_via_f32_bits.i32[i], `f16 of ${value} through f32`);
      assert.equal(new Int32Array(Float32Array.of(value).buffer)[0], f32_bits.i32[i], `f32 of ${value}`);
      if (f16_bits.i32[i] !== f16_via_f32_bits.i32[i]) differ++;
    }
    assert.ok(differ > 0, "the table holds numbers that double rounding gets wrong");
  });

  test("every f16 and bf16 survives the way to f32 and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      if (isNanF16(bits)) assert.ok(Number.isNaN(f16Value(bits)));
      else assert.equal(f16Bits(f16Value(bits)), bits);
      if (isNanBf16(bits)) assert.ok(Number.isNaN(bf16Value(bits)));
      else assert.equal(bf16Bits(bf16Value(bits)), bits);
    }
  });

  const decode = sharedData("quants/float_decode.safetensors");
  test("every f16 code has the reference's value", { skip: decode.skip }, async () => {
    const { f16, bf16 } = await readData(decode.path);
    for (const [bits, value] of f16.f32.entries()) assert.ok(Object.is(f16Value(bits), value), `f16 ${bits}`);
    for (const [i, value] of bf16.f32.entries()) assert.ok(Object.is(bf16Value(37 * i), value), `bf16 ${37 * i}`);
  });

  test("halves, ends and the smallest numbers of f16", () => {
    assert.equal(f16Value(0x3c00), 1);
    assert.equal(f16Value(0x0001), 2 ** -24);
    assert.equal(f16Value(0x7bff), 65504);
    assert.ok(Object.is(f16Value(0x8000), -0));
    assert.equal(f16Bits(65519.999), 0x7bff);
    assert.equal(f16Bits(65520), 0x7c00);
    assert.equal(f16Bits(2 ** -25), 0, "half of the smallest ties to even, zero");
    assert.equal(f16Bits(2 ** -25 * 1.0001), 1);
  });
});
