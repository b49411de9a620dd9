// Products of two matrices against plain sums in f64, on every machine that is here and interpreted for those that may
// not be: shapes that leave tails in rows, columns and outputs, each transposition, each epilogue, both roundings. What
// lies around tensors is no number.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normalCdf } from "../../src/base/normal.ts";
import type { ActivationName, Extent } from "../../src/graph/index.ts";
import { GEMM_FLOAT_SCRATCH_BYTES } from "../../src/device/cpu/kernels/gemm-floats.ts";
import { GEMM_TILE_SCRATCH_BYTES } from "../../src/device/cpu/kernels/gemm-tiles.ts";
import { SCRATCH_BYTES, THREAD_SCRATCH_BYTES } from "../../src/device/cpu/layout.ts";
import { type GemmTask, JUNK, runGemm } from "./gemm-runner.ts";
import { type TestMachine, interpreted, testMachines, tileMachine } from "./machines.ts";
import { randomFloats } from "./stores.ts";

const roundings = ["f32", "bf16"] as const;
const transpositions = [undefined, "a", "b"] as const;

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly outer: number;
}

/** What is done on the way. */
interface Epilogue {
  readonly bias?: boolean;
  readonly activation?: ActivationName;
  readonly residual?: "other" | "out";
}

const epilogues: Readonly<Record<string, Epilogue>> = {
  nothing: {},
  "a bias": { bias: true },
  "a bias and silu": { bias: true, activation: "silu" },
  "a bias, gelu and a residual": { bias: true, activation: "geluTanh", residual: "other" },
  tanh: { activation: "tanh" },
  "what was there": { residual: "out" },
};

const functions: Readonly<Record<ActivationName, (x: number) => number>> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => x * normalCdf(x),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
};

const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);
/** To the nearest bf16, ties to even. */
function bf16(x: number): number {
  asFloat[0] = x;
  asWord[0] = (asWord[0] + 0x7fff + ((asWord[0] >>> 16) & 1)) & 0xffff0000;
  return asFloat[0];
}

function taskOf({ rows, columns, outer }: Shape, { bias, activation, residual }: Epilogue): Omit<GemmTask, "rounding"> {
  return {
    rows,
    columns,
    outer,
    a: randomFloats(1, rows * columns),
    b: randomFloats(2, columns * outer),
    activation,
    ...(bias === true && { bias: randomFloats(3, outer) }),
    ...(residual !== undefined && { residual: randomFloats(4, rows * outer), accumulate: residual === "out" }),
  };
}

/** Checks every output; what f32 sums in any order may be off is a share of the sum of sizes. */
function check(task: GemmTask, { rows, columns, outer }: Shape, found: Int32Array): void {
  const values = new Float32Array(found.buffer, 0, rows * outer);
  const [aRow, aColumn] = task.transposed === "a" ? [1, rows] : [columns, 1];
  const [bColumn, bOuter] = task.transposed === "b" ? [1, columns] : [outer, 1];
  const round = task.rounding === "bf16" ? bf16 : (x: number): number => x;
  const [a, b] = [task.a, task.b].map((operand) => operand.map(round));
  for (let m = 0; m < rows; m++) {
    for (let n = 0; n < outer; n++) {
      let sum = task.bias?.[n] ?? 0;
      let size = Math.abs(sum);
      for (let i = 0; i < columns; i++) {
        const term = a[m * aRow + i * aColumn] * b[i * bColumn + n * bOuter];
        sum += term;
        size += Math.abs(term);
      }
      const added = task.residual?.[m * outer + n] ?? 0;
      const expected = (task.activation === undefined ? sum : functions[task.activation](sum)) + added;
      // slopes of the activations are below 1.2
      const off = 1.2 * (columns + 8) * 2 ** -24 * size + 2 ** -22 * (1 + Math.abs(added));
      const value = values[m * outer + n];
      assert.ok(Math.abs(value - expected) <= off, `row ${m}, output ${n}: ${value}, expected ${expected} to ${off}`);
    }
  }
  assert.ok(
    found.subarray(rows * outer).every((word) => word === JUNK),
    "written past the end",
  );
}

/** Tails in every dimension alone and together, down to one, and more than a block and a unit's panels. */
const shapes: readonly Shape[] = [
  { rows: 1, columns: 1, outer: 1 },
  { rows: 12, columns: 32, outer: 32 },
  { rows: 32, columns: 33, outer: 31 },
  { rows: 13, columns: 16, outer: 33 },
  { rows: 35, columns: 63, outer: 17 },
  { rows: 5, columns: 531, outer: 40 },
];
/** Outputs that pass the caches by. */
const huge: Shape = { rows: 1030, columns: 3, outer: 1024 };
/** More than a block of columns, more panels than are packed side by side. */
const large: Shape = { rows: 290, columns: 550, outer: 290 };

const machines = new Map<string, TestMachine>([
  ...testMachines,
  ["tileMachine, interpreted", interpreted(tileMachine)],
]);

for (const [tier, machine] of machines) {
  describe(`products of matrices on ${tier}`, () => {
    for (const rounding of roundings) {
      for (const transposed of transpositions) {
        const which = `${rounding}, ${transposed === undefined ? "none" : transposed} transposed`;
        it(`are sums of products: ${which}`, () => {
          for (const shape of shapes) {
            for (const epilogue of Object.values(shape === shapes[4] ? epilogues : { nothing: {} })) {
              const task = { ...taskOf(shape, epilogue), rounding, transposed };
              check(task, shape, runGemm(machine, task, shape.rows * shape.outer));
            }
          }
        });
      }
    }
  });
}

for (const [tier, machine] of testMachines) {
  describe(`a product of many units on ${tier}`, () => {
    for (const rounding of roundings) {
      for (const transposed of transpositions) {
        it(`is the same for any number of parts, ${rounding}, ${transposed ?? "none"} transposed`, () => {
          const task = { ...taskOf(large, epilogues["a bias, gelu and a residual"]), rounding, transposed };
          const elements = large.rows * large.outer;
          const planned = runGemm(machine, task, elements);
          check(task, large, planned);
          for (const parts of [1, 2, 7]) assert.deepEqual(runGemm(machine, task, elements, parts), planned);
        });
      }
    }
  });
}

for (const [tier, machine] of testMachines) {
  it(`outputs of more than the caches hold are as others on ${tier}`, () => {
    for (const epilogue of [epilogues["a bias and silu"], {}]) {
      const task = { ...taskOf(huge, epilogue), rounding: "bf16" as const };
      check(task, huge, runGemm(machine, task, huge.rows * huge.outer));
    }
  });
}

it("the sums of a unit and what lies beside them fit a thread's scratch", () => {
  assert.ok(GEMM_TILE_SCRATCH_BYTES <= THREAD_SCRATCH_BYTES);
  assert.ok(GEMM_FLOAT_SCRATCH_BYTES <= SCRATCH_BYTES);
});

it("an extent may be smaller than its bound, in any dimension", () => {
  const some: Extent = { name: "some", bound: 100 };
  const shape = { rows: 20, columns: 20, outer: 20 };
  for (const machine of testMachines.values()) {
    for (const rounding of roundings) {
      for (const name of ["rows", "columns", "outer"] as const) {
        const task = { ...taskOf(shape, {}), rounding, [name]: some, extents: { some: 20 } };
        check(task, shape, runGemm(machine, task, 400));
      }
    }
  }
});
