// Runs single kernels over a small memory, interpreted or as WebAssembly: tensors and packed weights are placed one after
// another, records written by the kernels' words.
import assert from "node:assert/strict";
import { type PackedFormat, GROUP_ROWS, layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import { type Kernel, type Machine, compileKernel, interpreter, traceKernel } from "../../src/lanes/index.ts";
import { packGroup } from "./pack-group.ts";
import type { TestParameter } from "./stores.ts";

const PAGE_BYTES = 65536;
const RECORD = 64;
/** What the largest kernels need. */
const SCRATCH_BYTES = 1 << 20;
const SCRATCH = PAGE_BYTES;

export class KernelBench {
  readonly machine: Machine;
  readonly memory: WebAssembly.Memory;
  readonly #emitted: boolean;
  readonly #kernels = new Map<Kernel, (part: number, parts: number) => void>();
  #end = SCRATCH + SCRATCH_BYTES;

  /** `machine` has words of 32 bits. */
  constructor(machine: Machine, how: "interpreted" | "emitted", bytes = 8 << 20) {
    this.machine = machine;
    this.#emitted = how === "emitted";
    const pages = bytes / PAGE_BYTES;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }

  get bytes(): ArrayBufferLike {
    return this.memory.buffer;
  }

  /** The address of so many bytes, all zero. */
  reserve(byteLength: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + byteLength + 64) / 64) * 64;
    assert.ok(this.#end <= this.bytes.byteLength, "the bench's memory is full");
    return at;
  }

  floats(values: Float32Array): number {
    const at = this.reserve(values.byteLength);
    new Float32Array(this.bytes, at, values.length).set(values);
    return at;
  }

  floatsAt(at: number, count: number): Float32Array {
    return new Float32Array(this.bytes, at, count).slice();
  }

  /** The address of a weight, packed. */
  weight({ rows, columns, format, bytes }: TestParameter): number {
    const name = format as PackedFormat;
    const at = this.reserve(packedBytes(name, rows, columns));
    const groupBytes = packedBytes(name, GROUP_ROWS, columns);
    for (let row = 0; row < rows; row += GROUP_ROWS) {
      const target = new Uint8Array(this.bytes, at + (row / GROUP_ROWS) * groupBytes, groupBytes);
      const from = bytes.subarray((bytes.length / rows) * row);
      packGroup(layouts[name], from, Math.min(GROUP_ROWS, rows - row), columns / layouts[name].columns, target);
    }
    return at;
  }

  /** Runs a kernel in two parts, the second one first. Words that `values` does not have are 0. */
  run(kernel: Kernel, values: Readonly<Record<string, number>>): void {
    const record = new Int32Array(this.bytes, RECORD, kernel.words.length);
    kernel.words.forEach((name, i) => (record[i] = values[name] ?? 0));
    const call = this.#kernels.get(kernel) ?? this.#prepare(kernel);
    this.#kernels.set(kernel, call);
    for (const part of [1, 0]) call(part, 2);
  }

  #prepare(kernel: Kernel): (part: number, parts: number) => void {
    const { machine, bytes } = this;
    if (this.#emitted) {
      const compiled = compileKernel(kernel, machine, this.memory, SCRATCH);
      return (part, parts) => compiled(RECORD, part, parts);
    }
    const run = interpreter(traceKernel(kernel, machine), machine, bytes);
    return (part, parts) => run({ record: RECORD, part, parts, scratch: SCRATCH });
  }
}
