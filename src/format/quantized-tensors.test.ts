// GPTQ, AWQ and FP8 folders against the formulas of those who write them: every value, packed here by their layouts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { randomBits } from "../../test/cpu/stores.ts";
import { UnsupportedError } from "../base/errors.ts";
import { type FormatName, bytesForRow, formats } from "../numeric/registry.ts";
import { dequantizedFiles } from "./quantized-tensors.ts";
import type { TensorSource } from "./tensor-source.ts";

interface Stored {
  readonly type: string;
  readonly shape: readonly number[];
  readonly data: Int32Array | Float16Array | Float32Array | Uint8Array;
}

/** A folder that lies in memory. */
function folder(quantization: object, tensors: Readonly<Record<string, Stored>>): TensorSource {
  const close = async (): Promise<void> => {};
  return {
    file: "folder",
    kind: "hf",
    config: { model_type: "llama", quantization_config: quantization },
    tensors: new Map(
      Object.entries(tensors).map(([name, { type, shape, data }]) => {
        return [name, { name, shape, format: type as FormatName, typeName: type, byteLength: data.byteLength }];
      }),
    ),
    weightFiles: [],
    async read(name, offset, into) {
      const { buffer, byteOffset } = tensors[name].data;
      into.set(new Uint8Array(buffer, byteOffset + offset, into.byteLength));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Values of matrix W (rows, columns), read a row and then the rest; and the format they came in. */
async function read(files: TensorSource, name: string): Promise<{ format: FormatName; values: Float32Array }> {
  const seen = await dequantizedFiles(files);
  assert.equal(seen.config.quantization_config, undefined);
  assert.equal(seen.notes?.length, 1);
  const { format, shape } = seen.tensors.get(name)!;
  const rowBytes = bytesForRow(format, shape[1]);
  const bytes = new Uint8Array(rowBytes * shape[0]);
  await seen.read(name, 0, bytes.subarray(0, rowBytes));
  await seen.read(name, rowBytes, bytes.subarray(rowBytes));
  return { format, values: formats[format].decode(bytes, shape[0] * shape[1]) };
}

const [ROWS, COLUMNS] = [16, 128];

interface Case {
  readonly bits: number;
  readonly groupSize: number;
  /** Of a group and a row. */
  readonly zero: (group: number, row: number) => number;
  readonly isShuffled?: boolean;
}

/** Codes, zeros, scales and groups of a matrix, and its values by the formula, in f64. */
function matrixOf({ bits, groupSize, zero, isShuffled = false }: Case) {
  const next = randomBits(bits + groupSize);
  const groups = COLUMNS / groupSize;
  const codes = Int32Array.from({ length: ROWS * COLUMNS }, () => next() % 2 ** bits);
  const zeros = Int32Array.from({ length: groups * ROWS }, (_, i) => zero(Math.floor(i / ROWS), i % ROWS));
  const scales = Float16Array.from({ length: groups * ROWS }, () => 0.001 + (next() % 1000) / 50_000);
  const groupOf = Int32Array.from({ length: COLUMNS }, (_, k) =>
    isShuffled ? (7 * k) % groups : Math.floor(k / groupSize),
  );
  const values = Float64Array.from(codes, (code, i) => {
    const at = groupOf[i % COLUMNS] * ROWS + Math.floor(i / COLUMNS);
    return scales[at] * (code - zeros[at]);
  });
  return { groups, codes, zeros, scales, groupOf, values };
}

/** Words of 32 bits: value `at(word, i)` lies `place(i)` codes from the low end. */
function packed(words: number, bits: number, at: (word: number, i: number) => number, place = (i: number) => i) {
  return Int32Array.from({ length: words }, (_, word) => {
    let all = 0;
    for (let i = 0; i < 32 / bits; i++) all |= at(word, i) << (place(i) * bits);
    return all;
  });
}

/** The tensors that AutoGPTQ's pack() makes; `less` is what its layout stores zeros less. */
function gptq(one: Case, less = 1) {
  const { bits } = one;
  const matrix = matrixOf(one);
  const { groups, codes, zeros, scales, groupOf } = matrix;
  const per = 32 / bits;
  const mask = 2 ** bits - 1;
  const [words, zeroWords] = [(COLUMNS / per) * ROWS, (groups * ROWS) / per];
  const code = (word: number, i: number): number => codes[(word % ROWS) * COLUMNS + Math.floor(word / ROWS) * per + i];
  const zero = (word: number, i: number): number => (zeros[word * per + i] - less) & mask;
  return {
    matrix,
    tensors: {
      "m.qweight": { type: "i32", shape: [COLUMNS / per, ROWS], data: packed(words, bits, code) },
      "m.qzeros": { type: "i32", shape: [groups, ROWS / per], data: packed(zeroWords, bits, zero) },
      "m.scales": { type: "f16", shape: [groups, ROWS], data: scales },
      "m.g_idx": { type: "i32", shape: [COLUMNS], data: groupOf },
    },
  };
}

const settings = (bits: number) => ({ quant_method: "gptq", bits, group_size: 32, desc_act: false });
const symmetric = (): number => 8;
const anyZero = (group: number, row: number): number => 1 + ((5 * group + row) % 16);

describe("GPTQ", () => {
  const cases: readonly (readonly [string, Case, FormatName])[] = [
    ["symmetric codes of 4 bits", { bits: 4, groupSize: 32, zero: symmetric }, "q4_0"],
    ["zeros of their own", { bits: 4, groupSize: 64, zero: anyZero }, "q5_0"],
    ["8 bits", { bits: 8, groupSize: 128, zero: () => 128 }, "q8_0"],
    ["2 bits", { bits: 2, groupSize: 32, zero: () => 2 }, "q4_0"],
  ];
  for (const [name, one, format] of cases) {
    test(`${name}: ${format} holds the values as they are`, async () => {
      const { matrix, tensors } = gptq(one);
      const found = await read(folder(settings(one.bits), tensors), "m.weight");
      assert.equal(found.format, format);
      assert.deepEqual(found.values, Float32Array.from(matrix.values));
    });
  }

  test("columns in the order of activations, and groups of 16: each value rounded to f16", async () => {
    for (const one of [
      { bits: 4, groupSize: 32, zero: anyZero, isShuffled: true },
      { bits: 4, groupSize: 16, zero: symmetric },
    ]) {
      const { matrix, tensors } = gptq(one);
      const found = await read(folder(settings(4), tensors), "m.weight");
      assert.equal(found.format, "f16");
      assert.deepEqual(found.values, Float32Array.from(Float16Array.from(matrix.values)));
    }
  });

  test("the second layout stores zeros as they are", async () => {
    const { matrix, tensors } = gptq({ bits: 4, groupSize: 32, zero: (group) => group }, 0);
    const files = folder({ ...settings(4), checkpoint_format: "gptq_v2" }, tensors);
    assert.deepEqual((await read(files, "m.weight")).values, Float32Array.from(matrix.values));
  });
});

test("AWQ: values of its words' order, in q5_0 as they are", async () => {
  const { groups, codes, zeros, scales, values } = matrixOf({
    bits: 4,
    groupSize: 64,
    zero: (g, r) => (g + 3 * r) % 16,
  });
  // AutoAWQ packs outputs 0 2 4 6 1 3 5 7 of eight from the low end on
  const order = [0, 2, 4, 6, 1, 3, 5, 7];
  const words = ROWS / 8;
  const code = (word: number, i: number): number =>
    codes[((word % words) * 8 + order[i]) * COLUMNS + Math.floor(word / words)];
  const zero = (word: number, i: number): number =>
    zeros[Math.floor(word / words) * ROWS + (word % words) * 8 + order[i]];
  const tensors = {
    "m.qweight": { type: "i32", shape: [COLUMNS, words], data: packed(COLUMNS * words, 4, code) },
    "m.qzeros": { type: "i32", shape: [groups, words], data: packed(groups * words, 4, zero) },
    "m.scales": { type: "f16", shape: [groups, ROWS], data: scales },
  };
  const config = { quant_method: "awq", bits: 4, group_size: 64, version: "gemm", zero_point: true };
  const found = await read(folder(config, tensors), "m.weight");
  assert.equal(found.format, "q5_0");
  assert.deepEqual(found.values, Float32Array.from(values));
});

describe("FP8", () => {
  // numbers of every exponent, by what the format's paper says of them
  const codes = [0x00, 0x01, 0x07, 0x08, 0x38, 0x39, 0x40, 0x7e, 0x81, 0xb8, 0xfe];
  const values = [0, 2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, 1.125, 2, 448, -(2 ** -9), -1, -448];
  const bf16 = (found: Float64Array): Float32Array => {
    const format = formats.bf16;
    return format.decode(format.encode!(Float32Array.from(found)), found.length);
  };

  test("a scale for each block, the last ones smaller", async () => {
    const [rows, columns] = [5, 11];
    const data = Uint8Array.from({ length: rows * columns }, (_, i) => codes[i % 11]);
    const scales = Float32Array.of(0.5, 0.3, 2, 0.7, 3, 0.01);
    const files = folder(
      { quant_method: "fp8", fmt: "e4m3", weight_block_size: [2, 8], activation_scheme: "dynamic" },
      {
        "m.weight": { type: "f8_e4m3", shape: [rows, columns], data },
        "m.weight_scale_inv": { type: "f32", shape: [3, 2], data: scales },
      },
    );
    const expected = Float64Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return values[i % 11] * scales[Math.floor(row / 2) * 2 + Math.floor(column / 8)];
    });
    const found = await read(files, "m.weight");
    assert.equal(found.format, "bf16");
    assert.deepEqual(found.values, bf16(expected));
  });

  test("one scale for all, beside one of activations", async () => {
    const one = { type: "f32", shape: [], data: Float32Array.of(0.25) };
    const files = folder(
      { quant_method: "fp8", activation_scheme: "static" },
      {
        "m.weight": { type: "f8_e4m3", shape: [2, 5], data: Uint8Array.from(codes.slice(0, 10)) },
        "m.weight_scale": one,
        "m.input_scale": one,
      },
    );
    assert.equal((await dequantizedFiles(files)).tensors.size, 1);
    const expected = Float64Array.from(values.slice(0, 10), (value) => value / 4);
    assert.deepEqual((await read(files, "m.weight")).values, bf16(expected));
  });
});

test("another method, and options that change values, are refused by name", async () => {
  const refused: Readonly<Record<string, object>> = {
    'quant_method is "bitsandbytes"': { quant_method: "bitsandbytes" },
    "bits is 3": { quant_method: "gptq", bits: 3 },
    'version is "gemv"': { quant_method: "awq", bits: 4, version: "gemv" },
    'fmt is "e5m2"': { quant_method: "fp8", fmt: "e5m2" },
  };
  for (const [what, quantization] of Object.entries(refused)) {
    const isNamed = (error: unknown): boolean => error instanceof UnsupportedError && error.message.includes(what);
    await assert.rejects(dequantizedFiles(folder(quantization, {})), isNamed);
  }
});
