// One thread of the bandwidth measurement: sums its share of the block each time it is told to.
import { compileKernel, defineKernel, wasmMachine } from "../lanes/index.ts";
import { currentWorker } from "#platform";

export interface ReadTask {
  readonly memory: WebAssembly.Memory;
  readonly blockBytes: number;
  readonly part: number;
  readonly parts: number;
}

const REGISTERS = 8;
const STEP_BYTES = REGISTERS * 16; // two cache lines a step

const readBlock = defineKernel("readBlock", ["bytes", "sums"], (k, { bytes, sums }) => {
  const totals = k.variables(REGISTERS, k.ints(0));
  k.share(bytes.div(STEP_BYTES), (first, end) => {
    k.range(first.mul(STEP_BYTES), end.mul(STEP_BYTES), STEP_BYTES, (at) => {
      for (const [i, total] of totals.entries()) total.value = total.value.add(at.loadInts(i * 16));
    });
  });
  // stored, so that no compiler may leave the reads out
  for (const [i, total] of totals.entries()) sums.add(k.part.mul(STEP_BYTES)).store(total.value, i * 16);
});

const worker = currentWorker()!;
const { memory, blockBytes, part, parts } = worker.data as ReadTask;
const record = blockBytes + part * 64;
new Int32Array(memory.buffer, record, 2).set([blockBytes, blockBytes + 16384]);
const kernel = compileKernel(readBlock, wasmMachine, memory);
worker.onMessage(() => {
  kernel(record, part, parts);
  worker.post("done");
});
worker.post("ready");
