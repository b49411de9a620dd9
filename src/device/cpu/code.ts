// The kernels of an open model as code: a WASM module, or machine code in executable memory. Made once by the conductor;
// each thread makes functions of its own from it. Not here: for which machine (tiers.ts).
import { type Kernel, type Machine, emitModule, traceKernel } from "../../lanes/index.ts";
import { native } from "#platform";
import { PAGE_BYTES } from "./model-memory.ts";
import type { KernelFunction } from "./run-loop.ts";

/** What a thread is given: kernels in the order of the step table's indices. */
export type ThreadCode =
  | { readonly kind: "wasm"; readonly module: WebAssembly.Module; readonly names: readonly string[] }
  | { readonly kind: "native"; readonly addresses: readonly number[] };

export interface ModelCode {
  readonly threadCode: ThreadCode;
  /** Gives executable memory back; all threads are gone by then. */
  release(): void;
}

/** Emits kernels into one WASM module over `memory`. */
export function compileWasm(kernels: readonly Kernel[], machine: Machine, memory: WebAssembly.Memory): ModelCode {
  const traced = kernels.map((kernel) => traceKernel(kernel, machine));
  const pages = memory.buffer.byteLength / PAGE_BYTES;
  const shared = !(memory.buffer instanceof ArrayBuffer);
  const module = new WebAssembly.Module(emitModule(traced, pages, { word: machine.word, shared }));
  return { threadCode: { kind: "wasm", module, names: kernels.map(({ name }) => name) }, release() {} };
}

/** The kernels as functions of the calling thread. */
export function kernelFunctions(code: ThreadCode, memory: WebAssembly.Memory, scratch: number): KernelFunction[] {
  if (code.kind === "wasm") {
    const { exports } = new WebAssembly.Instance(code.module, { host: { memory, scratch } });
    return code.names.map((name) => exports[name] as KernelFunction);
  }
  const host = native();
  if ("reason" in host) throw new Error(host.reason); // the conductor's thread had it
  return code.addresses.map((address) => host.callable(address));
}
