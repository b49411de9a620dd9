// Products by weights of every format, summed over their rows, against plain sums over the formats' own decoders, on every
// machine that is here and interpreted for tiles: shapes that leave tails in rows, in the weight's rows and its columns,
// and weights of which only a part is unpacked at a time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isTileWeight } from "../../src/device/cpu/gemm.ts";
import { GROUP_ROWS, type PackedFormat, layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import { formats } from "../../src/numeric/registry.ts";
import { type GemmTask, JUNK, runGemm } from "./gemm-runner.ts";
import { type TestMachine, interpreted, testMachines, tileMachine } from "./machines.ts";
import { packGroup } from "./pack-group.ts";
import { type TestParameter, randomFloats, randomParameter } from "./stores.ts";

const names = Object.keys(layouts) as PackedFormat[];

/** N rows of dy (N, M), a weight (M, K). */
interface Case {
  readonly rows: number;
  readonly weightRows: number;
  readonly columns: number;
}

function casesOf(format: PackedFormat): Case[] {
  const block = layouts[format].columns;
  if (block === 1) {
    return [
      { rows: 1, weightRows: 1, columns: 1 },
      { rows: 13, weightRows: 21, columns: 70 },
      { rows: 35, weightRows: 64, columns: 96 },
    ];
  }
  return [
    { rows: 1, weightRows: 1, columns: block },
    { rows: 33, weightRows: 40, columns: block === 256 ? 512 : 288 },
  ];
}

/** The weight as kernels read it. */
function packed({ rows, columns, format, bytes }: TestParameter): Float32Array {
  const layout = layouts[format as PackedFormat];
  const blocks = columns / layout.columns;
  const out = new Uint8Array(packedBytes(format as PackedFormat, rows, columns));
  const [groups, rowBytes] = [Math.ceil(rows / GROUP_ROWS), blocks * layout.bytes];
  for (let group = 0; group < groups; group++) {
    const first = group * GROUP_ROWS;
    const count = Math.min(rows - first, GROUP_ROWS);
    const target = out.subarray((group * out.length) / groups, ((group + 1) * out.length) / groups);
    packGroup(layout, bytes.subarray(first * rowBytes), count, blocks, target);
  }
  return new Float32Array(out.buffer);
}

const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);
/** To the nearest bf16, ties to even. */
function bf16(x: number): number {
  asFloat[0] = x;
  asWord[0] = (asWord[0] + 0x7fff + ((asWord[0] >>> 16) & 1)) & 0xffff0000;
  return asFloat[0];
}

/** A weight's rounding may go the other way where it lies between two: a share of the sizes. */
const TILE_SHARE = 2 ** -12;

function check(
  machine: TestMachine,
  format: PackedFormat,
  { rows, weightRows, columns }: Case,
  rounding: "f32" | "bf16",
  options: { readonly residual?: boolean; readonly unpackedBytes?: number; readonly transposed?: "a" } = {},
): Int32Array {
  const weight = randomParameter(2, format, weightRows, columns);
  const decoded = formats[format].decode(weight.bytes, weightRows * columns);
  const dy = randomFloats(1, rows * weightRows);
  const residual = options.residual === true ? randomFloats(4, rows * columns) : undefined;
  const task: GemmTask = {
    rows,
    columns: weightRows,
    outer: columns,
    a: dy,
    b: packed(weight),
    weight: format,
    rounding,
    ...(options.transposed !== undefined && { transposed: options.transposed }),
    ...(residual !== undefined && { residual }),
  };
  const found = runGemm(machine, task, rows * columns, undefined, options.unpackedBytes);
  const values = new Float32Array(found.buffer, 0, rows * columns);
  const isRounded = rounding === "bf16";
  const round = isRounded ? bf16 : (x: number): number => x;
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++) {
      let sum = residual?.[n * columns + k] ?? 0;
      let size = Math.abs(sum);
      for (let m = 0; m < weightRows; m++) {
        const at = options.transposed === "a" ? m * rows + n : n * weightRows + m;
        const term = round(dy[at]) * round(decoded[m * columns + k]);
        sum += term;
        size += Math.abs(term);
      }
      const off = ((weightRows + 8) * 2 ** -24 + (isRounded ? TILE_SHARE : 2 ** -22)) * size;
      const value = values[n * columns + k];
      assert.ok(Math.abs(value - sum) <= off, `row ${n}, column ${k}: ${value}, expected ${sum} to ${off}`);
    }
  }
  assert.ok(
    found.subarray(rows * columns).every((word) => word === JUNK),
    "written past the end",
  );
  return found;
}

const machines: [string, TestMachine][] = [...testMachines, ["tiles, interpreted", interpreted(tileMachine)]];
for (const [tier, machine] of machines) {
  describe(`products by weights, summed over their rows, on ${tier}`, () => {
    for (const format of names) {
      it(`are sums over what ${format} decodes to`, () => {
        for (const shape of casesOf(format)) {
          if (tier !== "tiles, interpreted") check(machine, format, shape, "f32", { residual: true });
          if (!machine.machine.tiles || !isTileWeight(format, shape.columns)) continue;
          check(machine, format, shape, "bf16");
          check(machine, format, shape, "bf16", { residual: true });
        }
      });
    }

    it("are the same sums where a weight is unpacked part by part, and by a transposed matrix", () => {
      const shape = { rows: 5, weightRows: 1100, columns: 64 };
      for (const rounding of machine.machine.tiles ? (["bf16"] as const) : (["f32"] as const)) {
        check(machine, "q8_0", shape, rounding, { residual: true, unpackedBytes: 1 });
        check(machine, "q8_0", { ...shape, weightRows: 50 }, rounding, { transposed: "a" });
      }
    });
  });
}

it("a weight whose rows tiles cannot be made of is told", () => {
  assert.equal(isTileWeight("q4_k", 256), true);
  assert.equal(isTileWeight("f32", 64), false);
  assert.equal(isTileWeight("bf16", 70), false);
});
