// Code as a thread is given it, and the functions that the thread makes of it. On its own, so that a thread loads nothing
// of what emits code (code.ts).
import { native } from "#platform";
import type { KernelFunction } from "./run-loop.ts";

/** What a thread is given: kernels in the order of the step table's indices. */
export type ThreadCode =
  | { readonly kind: "wasm"; readonly module: WebAssembly.Module; readonly names: readonly string[] }
  | { readonly kind: "native"; readonly addresses: readonly number[] };

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
