// One tier's kernels on threads over a block of memory of their own: what measurements run, without a model or a graph.
// Not here: which kernels (eval/), programs of many steps (program.ts).
import { UsageError } from "../../base/errors.ts";
import type { Kernel } from "../../lanes/index.ts";
import { createWasmMemory } from "../../lanes/index.ts";
import type { NativeRegion } from "#platform";
import type { ModelCode } from "./code.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS } from "./control.ts";
import { Layout, THREAD_SCRATCH_BYTES } from "./layout.ts";
import { PAGE_BYTES } from "./model-memory.ts";
import { ComputePool } from "./pool.ts";
import { setWord } from "./program.ts";
import type { Tier } from "./tiers.ts";

const RECORD_BYTES = 256;
/** Steps of a run. */
const STEPS_MOST = 4;

/** A kernel with the words of its record, in so many parts. */
export interface KernelStep {
  readonly kernel: Kernel;
  readonly values: Readonly<Record<string, number>>;
  readonly parts: number;
}

export interface KernelRunOptions {
  readonly tier: Tier;
  readonly kernels: readonly Kernel[];
  readonly threads: number;
  /** Of the block. */
  readonly bytes: number;
}

export class KernelRun implements AsyncDisposable {
  /** The block: zeros, 64-byte aligned; where code is machine code, in large pages where the system has them. */
  readonly data: Uint8Array;
  /** The block's address as kernels see it. */
  readonly address: number;
  readonly #options: KernelRunOptions;
  readonly #words: Int32Array;
  readonly #table: number;
  readonly #code: ModelCode;
  readonly #region: NativeRegion | undefined;
  readonly #pool: ComputePool;

  constructor(options: KernelRunOptions) {
    this.#options = options;
    const { tier, kernels, threads, bytes } = options;
    const { machine, native } = tier;
    const layout = new Layout(CONTROL_ADDRESS + CONTROL_BYTES);
    const scratch = Array.from({ length: threads }, () => layout.reserve(THREAD_SCRATCH_BYTES));
    this.#table = layout.reserve(STEPS_MOST * (STEP_WORDS * 4 + RECORD_BYTES));
    const block = native === undefined ? layout.reserve(bytes) : 0;
    const pages = Math.ceil(layout.bytes / PAGE_BYTES);
    const memory = createWasmMemory({ pages, word: native === undefined ? machine.word : 32, shared: true });
    const base = native?.addressOf(memory.buffer) ?? 0;
    this.#words = new Int32Array(memory.buffer);
    this.#region = native?.allocate(bytes, { hugePages: true });
    this.address = this.#region?.address ?? block;
    this.data = this.#region?.view.subarray(0, bytes) ?? new Uint8Array(memory.buffer, block, bytes);
    this.#code = tier.compile(kernels, machine, memory);
    const names = kernels.map(({ name }) => name);
    this.#pool = new ComputePool({ memory, code: this.#code.threadCode, base, kernels: names, scratch });
  }

  /** Runs one of the kernels with these words of its record, in so many parts. Rejects as ComputePool.run does. */
  async run<W extends string>(kernel: Kernel<W>, values: Readonly<Record<W, number>>, parts: number): Promise<void> {
    await this.runSteps([{ kernel, values, parts }]);
  }

  /** Runs up to 4 steps one after another, as one program. Rejects as ComputePool.run does. */
  async runSteps(steps: readonly KernelStep[]): Promise<void> {
    if (steps.length > STEPS_MOST) {
      throw new UsageError(`A run of ${steps.length} steps: at most ${STEPS_MOST} fit. Make several runs of them.`);
    }
    const { kernels, tier } = this.#options;
    const wordBytes = tier.machine.word / 8;
    for (const [n, { kernel, values, parts }] of steps.entries()) {
      const record = this.#table + STEPS_MOST * STEP_WORDS * 4 + n * RECORD_BYTES;
      const row = [kernels.findIndex(({ name }) => name === kernel.name), record, parts, 0];
      this.#words.set(row, this.#table / 4 + n * STEP_WORDS);
      for (const [i, name] of kernel.words.entries()) {
        setWord(this.#words, wordBytes, record + i * wordBytes, values[name]);
      }
    }
    await this.#pool.run(this.#table, steps.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
    this.#code.release();
    this.#region?.release();
  }
}
