// Tile products against plain sums over operands rounded to bf16, for every format, in the interpreter and, where the
// machine has tiles, in machine code: shapes that leave tails in rows, columns and outputs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TILE_SCRATCH_BYTES, tileKernels } from "../../src/device/cpu/kernels/linear-tiles.ts";
import { rmsNormKernel } from "../../src/device/cpu/kernels/norm.ts";
import { packNormTilesKernel, packTilesKernel, tileFormBytes } from "../../src/device/cpu/kernels/tiles.ts";
import { tileFormats } from "../../src/device/cpu/kernels/tile-weights.ts";
import { THREAD_SCRATCH_BYTES } from "../../src/device/cpu/layout.ts";
import { layouts } from "../../src/device/cpu/packed-layouts.ts";
import { formats } from "../../src/numeric/registry.ts";
import { KernelBench } from "./kernel-bench.ts";
import { tileMachine as machine } from "./machines.ts";
import { type TestParameter, randomFloats, randomParameter } from "./stores.ts";

const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);
/** To the nearest bf16, ties to even. */
function bf16(x: number): number {
  asFloat[0] = x;
  asWord[0] = (asWord[0] + 0x7fff + ((asWord[0] >>> 16) & 1)) & 0xffff0000;
  return asFloat[0];
}

const decode = (weight: TestParameter): Float32Array =>
  formats[weight.format].decode(weight.bytes, weight.rows * weight.columns);

interface Case {
  readonly rows: number;
  readonly outer: number;
  readonly columns: number;
}

const floatBits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0];

/** Sum and sum of sizes of the products of rounded operands. */
function product(x: Float32Array, row: number, w: Float32Array, m: number, columns: number): [number, number] {
  let [sum, size] = [0, 0];
  for (let i = 0; i < columns; i++) {
    const term = bf16(x[row * columns + i]) * bf16(w[m * columns + i]);
    sum += term;
    size += Math.abs(term);
  }
  return [sum, size];
}

/** A weight's rounding may go the other way where it lies between two: a share of the sizes. */
const SHARE = 2 ** -12;

for (const format of tileFormats) {
  const block = layouts[format].columns;
  const cases: Case[] =
    block === 256
      ? [{ rows: 33, outer: 40, columns: 512 }]
      : [
          { rows: 1, outer: 16, columns: 32 },
          { rows: 33, outer: 40, columns: 288 },
        ];
  describe(`tiles of ${format}`, () => {
    for (const { rows, outer, columns } of cases) {
      it(`multiply ${rows} rows by ${outer} x ${columns}, add a bias and a residual`, () => {
        const bench = new KernelBench(machine, "interpreted");
        const x = randomFloats(1, rows * columns);
        const weight = randomParameter(2, format, outer, columns);
        const [bias, residual] = [randomFloats(3, outer), randomFloats(4, rows * outer)];
        const packed = bench.reserve(tileFormBytes(rows, columns));
        bench.run(packTilesKernel, { x: bench.floats(x), out: packed, rows, columns });
        const out = bench.floats(new Float32Array(rows * outer));
        bench.run(tileKernels.plain.none[format], {
          x: packed,
          weight: bench.weight(weight),
          second: 0,
          bias: bench.floats(bias),
          residual: bench.floats(residual),
          out,
          rows,
          columns,
          outer,
          unitPanels: 1,
        });
        const y = new Float32Array(bench.bytes, out, rows * outer);
        const w = decode(weight);
        for (let at = 0; at < rows * outer; at++) {
          const [row, m] = [Math.floor(at / outer), at % outer];
          const [sum, size] = product(x, row, w, m, columns);
          const expected = sum + bias[m] + residual[at];
          assert.ok(Math.abs(y[at] - expected) <= SHARE * size + 1e-6, `output ${at}: ${y[at]}, expected ${expected}`);
        }
      });
    }

    it("multiply, add a bias and give the activation in tile form", () => {
      const [rows, outer, columns] = [34, 64, block === 256 ? 256 : 96];
      const bench = new KernelBench(machine, "interpreted");
      const x = randomFloats(1, rows * columns);
      const weight = randomParameter(2, format, outer, columns);
      const bias = randomFloats(3, outer);
      const packed = bench.reserve(tileFormBytes(rows, columns));
      bench.run(packTilesKernel, { x: bench.floats(x), out: packed, rows, columns });
      const out = bench.reserve(tileFormBytes(rows, outer));
      const words = { x: packed, weight: bench.weight(weight), bias: bench.floats(bias), out, rows, columns, outer };
      bench.run(tileKernels.formed.silu[format], { ...words, unitPanels: 2 });
      const w = decode(weight);
      for (let at = 0; at < rows * outer; at++) {
        const [row, m] = [Math.floor(at / outer), at % outer];
        const [sum, size] = product(x, row, w, m, columns);
        const before = sum + bias[m];
        const expected = before / (1 + Math.exp(-before));
        const found = tileForm(bench.bytes, out, rows, outer, row, m);
        // silu's slope is 1.1 at most
        const off = 1.1 * SHARE * size + 2 ** -8 * Math.abs(expected) + 1e-6;
        assert.ok(Math.abs(found - expected) <= off, `${found}, ${expected}`);
      }
    });

    it("multiply by two weights and give the gated product in tile form", () => {
      const [rows, outer, columns] = [34, 64, block === 256 ? 256 : 96];
      const bench = new KernelBench(machine, "interpreted");
      const x = randomFloats(1, rows * columns);
      const weights = [2, 3].map((seed) => randomParameter(seed, format, outer, columns));
      const packed = bench.reserve(tileFormBytes(rows, columns));
      bench.run(packTilesKernel, { x: bench.floats(x), out: packed, rows, columns });
      const out = bench.reserve(tileFormBytes(rows, outer));
      const [weight, second] = weights.map((w) => bench.weight(w));
      const record = { x: packed, weight, second, bias: 0, residual: 0, out, rows, columns, outer, unitPanels: 2 };
      bench.run(tileKernels.gated.silu[format], record);
      const decoded = weights.map(decode);
      for (let at = 0; at < rows * outer; at++) {
        const [row, m] = [Math.floor(at / outer), at % outer];
        const [gate, up] = decoded.map((w) => product(x, row, w, m, columns));
        const expected = (gate[0] / (1 + Math.exp(-gate[0]))) * up[0];
        const found = tileForm(bench.bytes, out, rows, outer, row, m);
        const share = SHARE * (gate[1] * Math.abs(up[0]) + up[1] * Math.abs(gate[0]));
        assert.ok(Math.abs(found - expected) <= share + 2 ** -8 * Math.abs(expected) + 1e-6, `${found}, ${expected}`);
      }
    });
  });
}

/** Element (row, column) of a matrix in tile form. */
function tileForm(
  memory: ArrayBufferLike,
  at: number,
  rows: number,
  columns: number,
  row: number,
  column: number,
): number {
  const [panels, block] = [Math.ceil(rows / 32), Math.floor(column / 256)];
  const steps = Math.min(8, columns / 32 - block * 8);
  const step = (block * panels * 8 + Math.floor(row / 32) * steps + (Math.floor(column / 32) % 8)) * 2048;
  const inStep = (row % 32) * 64 + (column % 16) * 4 + (column & 16) / 8;
  asWord[0] = new DataView(memory).getUint16(at + step + inStep, true) << 16;
  return asFloat[0];
}

it("tile products fit a thread's scratch", () => assert.ok(TILE_SCRATCH_BYTES <= THREAD_SCRATCH_BYTES));

describe("the tile form", () => {
  const [rows, columns] = [33, 352];
  const x = randomFloats(5, rows * columns, 3);

  it("holds x rounded to bf16", () => {
    const bench = new KernelBench(machine, "interpreted");
    const out = bench.reserve(tileFormBytes(rows, columns));
    bench.run(packTilesKernel, { x: bench.floats(x), out, rows, columns });
    x.forEach((value, at) => {
      const found = tileForm(bench.bytes, out, rows, columns, Math.floor(at / columns), at % columns);
      assert.equal(found, bf16(value));
    });
  });

  it("holds x normalised as RMSNorm does it", () => {
    const bench = new KernelBench(machine, "interpreted");
    const [from, gain] = [bench.floats(x), bench.floats(randomFloats(6, columns))];
    const epsilon = floatBits(1e-5);
    const plain = bench.reserve(x.byteLength);
    bench.run(rmsNormKernel, { x: from, gain, out: plain, groups: rows, size: columns, epsilon });
    const out = bench.reserve(tileFormBytes(rows, columns));
    bench.run(packNormTilesKernel, { x: from, gain, out, rows, columns, epsilon });
    new Float32Array(bench.bytes, plain, x.length).forEach((value, at) => {
      const found = tileForm(bench.bytes, out, rows, columns, Math.floor(at / columns), at % columns);
      assert.equal(found, bf16(value));
    });
  });
});

it("a row's products do not depend on the rows beside it, nor on how many there are", () => {
  const [rows, outer, columns] = [520, 32, 32]; // more than a unit's rows
  const bench = new KernelBench(machine, "interpreted");
  const x = randomFloats(1, rows * columns);
  const from = bench.floats(x);
  const weight = bench.weight(randomParameter(2, "q8_0", outer, columns));
  const multiply = (first: number, rows: number): Float32Array => {
    const packed = bench.reserve(tileFormBytes(rows, columns));
    bench.run(packTilesKernel, { x: from + first * columns * 4, out: packed, rows, columns });
    const out = bench.reserve(rows * outer * 4);
    const zeros = { second: 0, bias: 0, residual: 0 };
    bench.run(tileKernels.plain.none.q8_0, { ...zeros, x: packed, weight, out, rows, columns, outer, unitPanels: 4 });
    return new Float32Array(bench.bytes, out, rows * outer).slice();
  };
  const all = multiply(0, rows);
  for (const row of [0, 31, 511, 519]) {
    assert.deepEqual(multiply(row, 1), all.slice(row * outer, (row + 1) * outer));
  }
});
