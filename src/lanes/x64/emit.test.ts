// Emitted machine code against the interpreter, bit for bit, on every x64 machine that this processor can be.
import { describe } from "node:test";
import { native } from "#platform";
import { traceKernel } from "../builder.ts";
import { TEST_BYTES, type TestHost, testEmitter } from "../emitter-suite.ts";
import type { Machine } from "../ir.ts";
import { emitCode } from "./emit.ts";
import { x64Machines } from "./machines.ts";

const host = native();

function testHost(machine: Machine): TestHost {
  if ("reason" in host) throw new TypeError(host.reason);
  const { address, view } = host.allocate(TEST_BYTES);
  return {
    machine,
    memory: view.buffer,
    base: address,
    compile(kernel, scratch) {
      const code = host.makeExecutable(emitCode(traceKernel(kernel, machine), machine));
      const run = host.callable(code.address);
      return (record, part, parts) => run(record, part, parts, scratch);
    },
  };
}

describe("x64 code", { skip: "reason" in host && host.reason }, () => {
  if ("reason" in host) return;
  for (const [tier, machine] of x64Machines(host.features)) {
    if (machine.tiles) host.requestTiles();
    describe(`of ${tier} equals the interpreter`, () => testEmitter(testHost(machine)));
  }
});
