// Entry of a compute thread: makes its own functions of the model's kernels over the shared memory, then serves runs.
import { UnsupportedError } from "../../base/errors.ts";
import { currentWorker, native } from "#platform";
import { type ThreadCode, kernelFunctions } from "./thread-code.ts";
import { serve } from "./run-loop.ts";

/** What a compute thread is started with. */
export interface ComputeThreadData {
  readonly memory: WebAssembly.Memory;
  readonly code: ThreadCode;
  /** What kernels add to an offset in the memory: the address of its first byte. */
  readonly base: number;
  /** Which of the pool's threads it is, from 0. */
  readonly index: number;
  /** Whether it stays on one core. */
  readonly pin: boolean;
  /** Offset of this thread's scratch bytes. */
  readonly scratch: number;
}

const { memory, code, base, index, pin, scratch } = currentWorker()!.data as ComputeThreadData;
if (pin) {
  const host = native();
  const pinned = !("reason" in host) && host.pinThread(index);
  if (!pinned) throw new UnsupportedError("This system does not keep threads on cores.", { hint: "Leave pin out." });
}
const words = new Int32Array(memory.buffer);
const address = base + scratch;
serve({ index, words, kernels: kernelFunctions(code, memory, address), base, scratch: address });
