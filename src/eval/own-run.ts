// One tier's kernels on the calling thread, over a block of memory that its caches hold: what a kernel does with no memory
// and no other thread in its way. Not here: kernels on threads (device/cpu/kernel-run.ts).
import type { ModelCode } from "../device/cpu/code.ts";
import { THREAD_SCRATCH_BYTES } from "../device/cpu/layout.ts";
import { setWord } from "../device/cpu/program.ts";
import type { KernelFunction } from "../device/cpu/run-loop.ts";
import { kernelFunctions } from "../device/cpu/thread-code.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import { type Kernel, createWasmMemory } from "../lanes/index.ts";
import { bestMs, fillWithWeights } from "./kernel-share.ts";

/** Runs are timed a batch at a time: the clock and the call are not to be seen. */
const BATCH_MS = 0.2;
const RECORD = 1024;
const SCRATCH = 65536;
const WASM_PAGE_BYTES = 65536;

export class OwnRun implements Disposable {
  /** The block's address as kernels see it. */
  readonly address: number;
  readonly #kernels: readonly Kernel[];
  readonly #functions: readonly KernelFunction[];
  readonly #words: Int32Array;
  readonly #wordBytes: number;
  readonly #base: number;
  readonly #code: ModelCode;

  /** `bytes`: of the block, which is filled with numbers. */
  constructor(tier: Tier, kernels: readonly Kernel[], bytes: number) {
    const { machine, native } = tier;
    const block = SCRATCH + Math.ceil(THREAD_SCRATCH_BYTES / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
    const pages = Math.ceil((block + bytes) / WASM_PAGE_BYTES);
    const memory = createWasmMemory({ pages, word: native === undefined ? machine.word : 32, shared: true });
    fillWithWeights(new Uint8Array(memory.buffer, block, bytes));
    this.#code = tier.compile(kernels, machine, memory);
    this.#kernels = kernels;
    this.#functions = kernelFunctions(this.#code.threadCode, memory, SCRATCH);
    this.#words = new Int32Array(memory.buffer);
    this.#wordBytes = machine.word / 8;
    this.#base = native?.addressOf(memory.buffer) ?? 0;
    this.address = this.#base + block;
  }

  /** Milliseconds that one run of a kernel takes with these words of its record, at best in `ms` milliseconds. */
  async time<W extends string>(kernel: Kernel<W>, values: Readonly<Record<W, number>>, ms: number): Promise<number> {
    for (const [i, name] of kernel.words.entries()) {
      setWord(this.#words, this.#wordBytes, RECORD + i * this.#wordBytes, values[name]);
    }
    const run = this.#functions[this.#kernels.findIndex(({ name }) => name === kernel.name)];
    const [record, scratch] = [this.#base + RECORD, this.#base + SCRATCH];
    const repeat = (count: number) => (): void => {
      for (let i = 0; i < count; i++) run(record, 0, 1, scratch);
    };
    const once = await bestMs(0, repeat(1));
    const count = Math.ceil(BATCH_MS / Math.max(once, 0.001));
    return (await bestMs(ms, repeat(count))) / count;
  }

  [Symbol.dispose](): void {
    this.#code.release();
  }
}
