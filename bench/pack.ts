// Speed of packing on one thread: GB/s of stored rows made into packed groups, by format and machine; from and to buffers
// of the size that loading uses. Best of several, since other work shares the cores.
// Run: node bench/pack.ts [--formats q4_k,q8_0] [--machines wasm,avx512] [--columns 1536]
import { parseArgs } from "node:util";
import { packKernels } from "../src/device/cpu/kernels/pack.ts";
import { type PackedFormat, layouts, packedBytes } from "../src/device/cpu/packed-layouts.ts";
import { testMachines } from "../test/cpu/machines.ts";

const { values } = parseArgs({
  options: {
    formats: { type: "string", default: Object.keys(layouts).join(",") },
    machines: { type: "string", default: [...testMachines.keys()].join(",") },
    columns: { type: "string", default: "1536" },
  },
});
const columns = Number(values.columns);
const CHUNK = 4 << 20;
const RECORD = 1024;
const SOURCE = 1 << 20;
const TARGET = SOURCE + CHUNK + 65536;

for (const name of values.machines.split(",")) {
  const memory = testMachines.get(name)!.createMemory(TARGET + 8 * CHUNK, 65536);
  const bits = new Uint32Array(memory.buffer, SOURCE, CHUNK / 4);
  for (let i = 0, state = 1; i < bits.length; i++) bits[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const line = values.formats.split(",").map((word) => {
    const format = word as PackedFormat;
    const blocks = columns / layouts[format].columns;
    const rowBytes = blocks * layouts[format].bytes;
    const rows = Math.floor(CHUNK / rowBytes / 16) * 16;
    if (packedBytes(format, rows, columns) > 7 * CHUNK) throw new Error("the target is too small");
    memory.setRecord(RECORD, [memory.base + SOURCE, memory.base + TARGET, rows, blocks]);
    let best = Infinity;
    const until = performance.now() + 150;
    for (let round = 0; round < 5 || performance.now() < until; round++) {
      const from = performance.now();
      memory.run(packKernels[format], RECORD, 0, 1);
      best = Math.min(best, performance.now() - from);
    }
    return `${format} ${((rows * rowBytes) / best / 1e6).toFixed(1)}`;
  });
  console.log(`${name.padEnd(30)} ${line.join("  ")}`);
}
