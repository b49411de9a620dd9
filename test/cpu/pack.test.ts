// The packing kernels against their slow twin, byte by byte, for every format, with a last group that is not full.
import assert from "node:assert/strict";
import { it } from "node:test";
import { packKernels } from "../../src/device/cpu/kernels/pack.ts";
import { type Field, type PackedFormat, layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import { compileKernel, interpret, traceKernel, wasmMachine } from "../../src/lanes/index.ts";
import { packGroup } from "./pack-group.ts";
import { randomBits } from "./stores.ts";

const ROWS = 37;
const BLOCKS = 3;
const RECORD = 64;
const SOURCE = 256;
const TARGET = 65536;
const BYTES = 4 * 65536;

for (const format of Object.keys(layouts) as PackedFormat[]) {
  it(`packs ${format} as the plain loops do, all bits`, () => {
    const layout = layouts[format];
    const next = randomBits(3);
    const source = Uint8Array.from({ length: ROWS * BLOCKS * layout.bytes }, () => next() >>> 8);
    // scales of any exponent but that of NaNs, which have many bit patterns; zero and subnormal ones by chance
    const scales = Object.values<Field>(layout.fields).filter(({ widen }) => widen);
    for (let block = 0; block < ROWS * BLOCKS; block++) {
      for (const { offset } of scales) source[block * layout.bytes + offset + 1] &= block % 3 === 0 ? 0x83 : 0xbf;
    }
    const groupBytes = packedBytes(format, 16, BLOCKS * layout.columns);
    const expected = new Uint16Array((3 * groupBytes) / 2);
    for (let group = 0; group < 3; group++) {
      const from = new Uint16Array(source.buffer, group * 16 * BLOCKS * layout.bytes);
      const rows = Math.min(16, ROWS - group * 16);
      packGroup(layout, from, rows, BLOCKS, expected.subarray((group * groupBytes) / 2));
    }

    const memory = new WebAssembly.Memory({ initial: BYTES >> 16, maximum: BYTES >> 16, shared: true });
    const twin = new ArrayBuffer(BYTES);
    const kernel = packKernels[format];
    for (const buffer of [memory.buffer, twin]) {
      const values: Record<string, number> = { source: SOURCE, target: TARGET, rows: ROWS, blocks: BLOCKS };
      new Int32Array(buffer, RECORD, 4).set(kernel.words.map((name) => values[name]));
      new Uint8Array(buffer, SOURCE, source.length).set(source);
    }
    const run = compileKernel(kernel, wasmMachine, memory);
    const traced = traceKernel(kernel, wasmMachine);
    for (const part of [1, 0]) {
      run(RECORD, part, 2);
      interpret(traced, wasmMachine, twin, { record: RECORD, part, parts: 2 });
    }
    assert.deepEqual(Uint16Array.from(new Uint16Array(memory.buffer, TARGET, expected.length)), expected);
    assert.deepEqual(new Uint16Array(twin, TARGET, expected.length), expected);
  });
}
