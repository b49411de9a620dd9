// Entry of a compute thread: makes its own instance of the model's kernels over the shared memory, then serves runs.
import { currentWorker } from "#platform";
import { type KernelFunction, serve } from "./run-loop.ts";

/** What a compute thread is started with. */
export interface ComputeThreadData {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** Exported names in the order of the step table's kernel indices. */
  readonly kernels: readonly string[];
  /** Address of this thread's scratch bytes. */
  readonly scratch: number;
}

const { memory, module, kernels, scratch } = currentWorker()!.data as ComputeThreadData;
const { exports } = new WebAssembly.Instance(module, { host: { memory, scratch } });
serve(
  new Int32Array(memory.buffer),
  kernels.map((name) => exports[name] as KernelFunction),
);
