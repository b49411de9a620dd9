// A ceiling's operations are those that its loop does: no compiler made a product once for several sums, or out of the loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { traceKernel } from "../lanes/index.ts";
import { emitListing } from "../lanes/x64/emit.ts";
import { x64Machines } from "../lanes/x64/machines.ts";
import { showInstruction } from "../lanes/x64/show.ts";
import { bytePeak, floatPeak } from "./peak-kernels.ts";

const features = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"];

for (const [tier, machine] of x64Machines(new Set(features))) {
  for (const [name, peak, product, perLane] of [
    ["f32", floatPeak, /^vfmadd/, 2],
    ["int8", bytePeak, /^(vpdpbusd|vpmaddubsw)/, 8],
  ] as const) {
    test(`${tier}: the loop of ${name} has all products that are counted`, () => {
      const lines = emitListing(traceKernel(peak.kernel, machine), machine).instructions.map(showInstruction);
      const loop = lines.slice(
        lines.findIndex((line) => line.endsWith(":")),
        lines.findLastIndex((line) => line.startsWith("jl ")),
      );
      const products = loop.filter((line) => product.test(line)).length;
      assert.equal(products * perLane * machine.lanes, peak.operationsPerTurn(machine), lines.join("\n"));
      // two a cycle, each five cycles long: with fewer sums they would wait for each other
      assert.ok(products >= 10, `${products} sums`);
    });
  }
}
