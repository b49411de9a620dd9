// The kernels of an open model as code: a WASM module, or machine code in executable memory. Made once by the conductor.
// Not here: for which machine (tiers.ts), how a thread calls it (thread-code.ts).
import { type Kernel, type Machine, codeSource, emitModule, traceKernel } from "../../lanes/index.ts";
import { emitCode } from "../../lanes/x64/emit.ts";
import type { Native } from "#platform";
import type { CodeCache } from "../../store/code-cache.ts";
import { PAGE_BYTES } from "./model-memory.ts";
import type { ThreadCode } from "./thread-code.ts";

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

const CODE_ALIGNMENT = 64;

/** Kernels as machine code, one behind the other in executable memory: emitted, or found in `kept` where they were before. */
export function compileX64(host: Native, kernels: readonly Kernel[], machine: Machine, kept?: CodeCache): ModelCode {
  const codes = kernels.map((kernel) => {
    const traced = traceKernel(kernel, machine);
    if (kept === undefined) return emitCode(traced, machine);
    const source = codeSource(traced, machine);
    const found = kept.find(source);
    if (found !== undefined) return found;
    const code = emitCode(traced, machine);
    kept.keep(source, code);
    return code;
  });
  let bytes = 0;
  const offsets = codes.map((code) => {
    const offset = bytes;
    bytes += Math.ceil(code.byteLength / CODE_ALIGNMENT) * CODE_ALIGNMENT;
    return offset;
  });
  const all = new Uint8Array(bytes);
  for (const [i, code] of codes.entries()) all.set(code, offsets[i]);
  const region = host.makeExecutable(all);
  const addresses = offsets.map((offset) => region.address + offset);
  return { threadCode: { kind: "native", addresses }, release: () => region.release() };
}
