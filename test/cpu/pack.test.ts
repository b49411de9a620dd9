// The packing kernels against their slow twin, byte by byte, for every format on every machine, with a last group that is
// not full.
import assert from "node:assert/strict";
import { it } from "node:test";
import { packKernels } from "../../src/device/cpu/kernels/pack.ts";
import { type Field, type PackedFormat, layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import { wasmMachine } from "../../src/lanes/index.ts";
import { interpreted, testMachines } from "./machines.ts";
import { packGroup } from "./pack-group.ts";
import { randomBits } from "./stores.ts";

const ROWS = 37;
const BLOCKS = 9; // some are packed together, some are left
const RECORD = 64;
const SOURCE = 65536;
const TARGET = 4 * 65536;
const BYTES = 9 * 65536;
const SCRATCH = 8 * 65536;

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
    const expected = new Uint8Array(3 * groupBytes);
    for (let group = 0; group < 3; group++) {
      const from = source.subarray(group * 16 * BLOCKS * layout.bytes);
      const rows = Math.min(16, ROWS - group * 16);
      packGroup(layout, from, rows, BLOCKS, expected.subarray(group * groupBytes));
    }

    for (const [name, machine] of [...testMachines, ["interpreted", interpreted(wasmMachine)] as const]) {
      const memory = machine.createMemory(BYTES, SCRATCH);
      const values: Record<string, number> = {
        source: memory.base + SOURCE,
        target: memory.base + TARGET,
        rows: ROWS,
        blocks: BLOCKS,
      };
      const kernel = packKernels[format];
      memory.setRecord(
        RECORD,
        kernel.words.map((word) => values[word]),
      );
      new Uint8Array(memory.buffer, SOURCE, source.length).set(source);
      // what lies behind is another's
      const target = new Uint8Array(memory.buffer, TARGET, expected.length + 64);
      target.fill(0xaa); // windows hold what was packed before
      for (const part of [1, 0]) memory.run(kernel, RECORD, part, 2);
      assert.deepEqual(Uint8Array.from(target.subarray(0, expected.length)), expected, name);
      assert.ok(
        target.subarray(expected.length).every((byte) => byte === 0xaa),
        `${name} wrote past its end`,
      );
    }
  });
}
