// How fast this machine reads memory: N threads sum a block far larger than any cache. Decoding is bound by this, so
// speeds are told beside it.
import { Worker, type WorkerHandle, startWorker } from "#platform";
import type { ReadTask } from "./read-bandwidth-worker.ts";

const BLOCK_BYTES = 512 * 2 ** 20; // ten times the largest last-level cache of a desktop
const PAGE_BYTES = 65536;

/** Best of `rounds` reads of 512 MiB by `threads` threads, in 10^9 bytes a second. */
export async function readBandwidth(threads: number, rounds = 5): Promise<number> {
  const pages = BLOCK_BYTES / PAGE_BYTES + 1; // the last page holds records and sums
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Uint32Array(memory.buffer, 0, BLOCK_BYTES / 4).fill(0x9e3779b9); // untouched pages would all be one page of zeros
  const module = new Worker(new URL("./read-bandwidth-worker.ts", import.meta.url), { type: "module" });
  const workers = Array.from({ length: threads }, (_, part) => {
    const task: ReadTask = { memory, blockBytes: BLOCK_BYTES, part, parts: threads };
    return startWorker(module, task, { name: `read ${part}` });
  });
  try {
    const answers = workers.map(answersOf);
    await Promise.all(answers.map((next) => next())); // compiled and ready
    let best = 0;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      for (const worker of workers) worker.post("read");
      await Promise.all(answers.map((next) => next()));
      best = Math.max(best, BLOCK_BYTES / 1e6 / (performance.now() - start));
    }
    return best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** One promise a message; rejects when the thread fails. */
function answersOf(worker: WorkerHandle): () => Promise<unknown> {
  let settle = Promise.withResolvers<unknown>();
  worker.onMessage((message) => settle.resolve(message));
  worker.onFailure((error) => settle.reject(error));
  return async () => {
    const message = await settle.promise;
    settle = Promise.withResolvers();
    return message;
  };
}
