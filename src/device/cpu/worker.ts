// Entry of a compute thread: makes its own functions of the model's kernels over the shared memory, then serves runs.
import { currentWorker } from "#platform";
import { type ThreadCode, kernelFunctions } from "./code.ts";
import { serve } from "./run-loop.ts";

/** What a compute thread is started with. */
export interface ComputeThreadData {
  readonly memory: WebAssembly.Memory;
  readonly code: ThreadCode;
  /** What kernels add to an offset in the memory: the address of its first byte. */
  readonly base: number;
  /** Offset of this thread's scratch bytes. */
  readonly scratch: number;
}

const { memory, code, base, scratch } = currentWorker()!.data as ComputeThreadData;
const words = new Int32Array(memory.buffer);
const address = base + scratch;
serve({ words, kernels: kernelFunctions(code, memory, address), base, scratch: address });
