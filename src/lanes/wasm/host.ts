// What this host's WebAssembly can do: whether relaxed SIMD is there, and how its two loosely specified instructions
// behave. Asked by running them once.
import { defineKernel, traceKernel } from "../builder.ts";
import type { Kernel } from "../builder.ts";
import type { Machine } from "../ir.ts";
import { type MemoryKind, emitModule } from "./emit.ts";

/** The machine of tier "wasm": plain SIMD, the same results on every host. */
export const wasmMachine: Machine = {
  lanes: 4,
  madd: "none",
  dot: "none",
  word: 32,
  registers: 16,
  f16: false,
  bf16: false,
  tiles: false,
};

const PAGE_BYTES = 65536;

export type CompiledKernel = (record: number, part: number, parts: number) => void;

/** Compiles one kernel over `memory`, for probes and tests; programs compile theirs together (device/cpu/code.ts). */
export function compileKernel<W extends string>(
  kernel: Kernel<W>,
  machine: Machine,
  memory: WebAssembly.Memory,
  scratch = 0,
): CompiledKernel {
  const shared = !(memory.buffer instanceof ArrayBuffer);
  const pages = memory.buffer.byteLength / PAGE_BYTES;
  const bytes = emitModule([traceKernel(kernel, machine)], pages, { word: machine.word, shared });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, scratch } });
  return instance.exports[kernel.name] as CompiledKernel;
}

/** A memory that is not shared where `shared` is false; with 64-bit addresses where `word` is 64. Throws the host's RangeError. */
export function createWasmMemory({
  pages,
  word,
  shared,
}: Required<MemoryKind> & { pages: number }): WebAssembly.Memory {
  return word === 64
    ? new WebAssembly.Memory({ initial: BigInt(pages), maximum: BigInt(pages), shared, address: "i64" })
    : new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
}

// (1 + 2^-12)² - 1 = 2^-11 + 2^-24: the last term is lost when the product is rounded on its own.
const EPSILON = 2 ** -12;

const probe = defineKernel("probe", ["out"], (k, { out }) => {
  const factor = k.floats(1 + EPSILON);
  out.store(factor.madd(factor, -1), 0);
  const bytes = k.ints(0).dotBytes(out.splatInts(32), out.splatInts(36), 8); // -128 times 255, four times
  out.store(bytes, 16);
});

/** The machine of tier "wasm-relaxed", or undefined where the host has no relaxed SIMD. */
export function relaxedMachine(): Machine | undefined {
  const hopeful: Machine = { ...wasmMachine, madd: "separate", dot: "u8" };
  if (!WebAssembly.validate(emitModule([traceKernel(probe, hopeful)], 1))) return undefined;
  const memory = createWasmMemory({ pages: 1, word: 32, shared: false });
  const OUT = 64;
  const view = new DataView(memory.buffer);
  view.setInt32(0, OUT, true);
  view.setUint32(OUT + 32, 0x80808080, true);
  view.setUint32(OUT + 36, 0xffffffff, true);
  compileKernel(probe, hopeful, memory)(0, 0, 1);
  const fused = view.getFloat32(OUT, true) === 2 ** -11 + 2 ** -24;
  const u8 = view.getInt32(OUT + 16, true) === 4 * -128 * 255;
  return { ...wasmMachine, madd: fused ? "fused" : "separate", dot: u8 ? "u8" : "i7" };
}

/** Whether the host has memories with 64-bit addresses (Machine.word 64). Asked by making one and running code on it. */
export function hasWideMemory(): boolean {
  const machine: Machine = { ...wasmMachine, word: 64 };
  try {
    const memory = createWasmMemory({ pages: 1, word: 64, shared: false });
    new BigInt64Array(memory.buffer)[0] = 64n;
    compileKernel(
      defineKernel("wide", ["out"], (_, { out }) => out.store(out)),
      machine,
      memory,
    )(0, 0, 1);
    return new Int32Array(memory.buffer)[16] === 64;
  } catch {
    return false; // an older host has neither the code nor the address type
  }
}
