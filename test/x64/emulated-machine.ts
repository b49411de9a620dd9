// A machine's code in the emulator, as the tests of kernels run machines (cpu/machines.ts): for kernels that no lowered
// graph reaches.
import type { Kernel } from "../../src/lanes/index.ts";
import type { TestMachine } from "../cpu/machines.ts";
import { type Emulated, emulator } from "./emulator/emulate.ts";
import type { MachineCode } from "./machine-code.ts";

export const emulatedMachine = (code: MachineCode): TestMachine => ({
  machine: code.machine,
  createMemory(bytes, scratch) {
    const buffer = new ArrayBuffer(bytes);
    const prepared = new Map<Kernel, Emulated>();
    return {
      machine: code.machine,
      buffer,
      base: 0,
      setRecord: (offset, words) => new BigInt64Array(buffer, offset).set(words.map(BigInt)),
      run(kernel, record, part, parts) {
        const run = prepared.get(kernel) ?? emulator(code.codeOf(kernel).listing, buffer, code.convention);
        prepared.set(kernel, run);
        run({ record, part, parts, scratch });
      },
    };
  },
});
