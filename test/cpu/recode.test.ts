// Low-bit formats by golden blocks: what they decode to is what is multiplied, and those without kernels come to the
// kernels of another bit for bit.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { packedFormat } from "../../src/device/cpu/packed-layouts.ts";
import { recode } from "../../src/device/cpu/recode.ts";
import { cpuExecutor } from "../../src/device/cpu/executor.ts";
import { graph, input, linear, parameter } from "../../src/graph/index.ts";
import { type FormatName, formats } from "../../src/numeric/registry.ts";
import { readData } from "../safetensors-data.ts";
import { memoryStore, randomFloats } from "./stores.ts";

const golden = await readData(resolve(import.meta.dirname, "../golden/numeric/low-bit-blocks.safetensors"));
const names = (Object.keys(formats) as FormatName[]).filter((name) => golden[`${name}.blocks`] !== undefined);

describe("low-bit formats", () => {
  it("that have no kernels of their own are all but three", () => {
    const kept = names.filter((name) => packedFormat(name) !== name);
    assert.deepEqual([names.length, kept.length], [15, 12]);
  });

  for (const name of names) {
    const { bytes } = golden[`${name}.blocks`];
    const values = golden[`${name}.values`].f32;

    if (packedFormat(name) !== name) {
      it(`${name} is kept as ${packedFormat(name)} without a bit lost`, () => {
        const recoded = recode(name, bytes, values.length);
        const decoded = formats[packedFormat(name)].decode(recoded, values.length);
        assert.deepEqual(new Uint32Array(decoded.buffer), new Uint32Array(values.slice().buffer));
      });
    }

    it(`${name} gives the products that its values give`, async () => {
      const [rows, columns] = [4, 256];
      const x = randomFloats(3, columns);
      const store = memoryStore({ w: { rows, columns, format: name, bytes } });
      const y = linear(input("x", [{ name: "rows", bound: 1 }, columns], "f32"), parameter("w", [rows, columns]));
      await using opened = await cpuExecutor.open(store, { p: graph({ y }) }, { threads: 1, precision: "f32" });
      opened.programs.p.inputs.x.set(x);
      await opened.programs.p.run({ rows: 1 });
      for (let row = 0; row < rows; row++) {
        const products = Array.from(x, (value, i) => value * values[row * columns + i]);
        const expected = products.reduce((a, b) => a + b, 0);
        const size = products.reduce((a, b) => a + Math.abs(b), 0);
        assert.ok(Math.abs(opened.programs.p.outputs.y[row] - expected) <= 1e-5 * size, `row ${row}`);
      }
    });
  }
});
