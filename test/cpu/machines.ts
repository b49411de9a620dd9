// Every machine that kernels can run on here, by tier, over a memory of a test's own: WebAssembly with and without relaxed
// SIMD, and the x64 machines that this processor can be. Also the interpreter, for any machine.
import { type Kernel, type Machine, interpreter, traceKernel } from "../../src/lanes/index.ts";
import { compileKernel, emitCode, relaxedMachine, wasmMachine, x64Machines } from "../../src/lanes/index.ts";
import { cpuFeatures } from "../../src/platform/native.ts";
import { native } from "#platform";

/** Memory that kernels run over. Records hold addresses: `base` and an offset in `buffer`. */
export interface KernelMemory {
  readonly machine: Machine;
  readonly buffer: ArrayBufferLike;
  readonly base: number;
  /** Writes a record of the machine's words at an offset. */
  setRecord(offset: number, words: readonly number[]): void;
  /** Runs one part; `record` and `scratch` are offsets. A kernel is compiled once. */
  run(kernel: Kernel, record: number, part: number, parts: number): void;
}

export interface TestMachine {
  readonly machine: Machine;
  createMemory(bytes: number, scratch: number): KernelMemory;
}

/** The machine of the tier amx, but that it addresses as WebAssembly does: for the interpreter over a test's own memory. */
export const tileMachine: Machine = { ...x64Machines(new Set(cpuFeatures)).get("amx")!, word: 32 };

const PAGE_BYTES = 65536;

function memoryOf(
  machine: Machine,
  buffer: ArrayBufferLike,
  base: number,
  prepare: (kernel: Kernel) => (record: number, part: number, parts: number) => void,
): KernelMemory {
  const prepared = new Map<Kernel, (record: number, part: number, parts: number) => void>();
  return {
    machine,
    buffer,
    base,
    setRecord(offset, words) {
      if (machine.word === 64) new BigInt64Array(buffer, offset).set(words.map(BigInt));
      else new Int32Array(buffer, offset).set(words);
    },
    run(kernel, record, part, parts) {
      const run = prepared.get(kernel) ?? prepare(kernel);
      prepared.set(kernel, run);
      run(base + record, part, parts);
    },
  };
}

/** The interpreter as a machine. */
export const interpreted = (machine: Machine): TestMachine => ({
  machine,
  createMemory(bytes, scratch) {
    const buffer = new ArrayBuffer(bytes);
    return memoryOf(machine, buffer, 0, (kernel) => {
      const run = interpreter(traceKernel(kernel, machine), machine, buffer);
      return (record, part, parts) => run({ record, part, parts, scratch });
    });
  },
});

const wasm = (machine: Machine): TestMachine => ({
  machine,
  createMemory(bytes, scratch) {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return memoryOf(machine, memory.buffer, 0, (kernel) => compileKernel(kernel, machine, memory, scratch));
  },
});

const host = native();

const x64 = (machine: Machine): TestMachine => ({
  machine,
  createMemory(bytes, scratch) {
    if ("reason" in host) throw new TypeError(host.reason);
    if (machine.tiles) host.requestTiles();
    const { address: base, view } = host.allocate(bytes);
    const { buffer } = view;
    return memoryOf(machine, buffer, base, (kernel) => {
      const code = host.makeExecutable(emitCode(traceKernel(kernel, machine), machine));
      const run = host.callable(code.address);
      return (record, part, parts) => run(record, part, parts, base + scratch);
    });
  },
});

const relaxed = relaxedMachine();

/** Emitted code of every machine that this host has, by tier; the first is "wasm". */
export const testMachines: ReadonlyMap<string, TestMachine> = new Map([
  ["wasm", wasm(wasmMachine)],
  ...(relaxed === undefined
    ? []
    : ([
        ["wasm-relaxed", wasm(relaxed)],
        ["wasm-relaxed with 7-bit bytes", wasm({ ...relaxed, dot: "i7" })],
      ] as const)),
  ...("reason" in host ? [] : [...x64Machines(host.features)].map(([tier, machine]) => [tier, x64(machine)] as const)),
]);
