// The searches of numeric/search.ts, several runs side by side, on the calling thread, by code that was compiled once for all
// threads. The kernels: search-kernels.ts.
import { getOrMake } from "../base/collections.ts";
import type { ModelCode } from "../device/cpu/code.ts";
import { setWord } from "../device/cpu/program.ts";
import type { KernelFunction } from "../device/cpu/run-loop.ts";
import { type ThreadCode, kernelFunctions } from "../device/cpu/thread-code.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import { type Kernel, createWasmMemory } from "../lanes/index.ts";
import { formats } from "../numeric/registry.ts";
import type { AffineFits, AffineSearch, RunSearch, RunSearches, SignedFits } from "../numeric/search.ts";
import { native } from "#platform";
import { affineKernel, signedKernel } from "./search-kernels.ts";

/** Weights of a call: what it reads and writes stays in the nearer caches. */
const WEIGHTS = 16384;
const RUN_LEAST = 16;
const FLOAT_BYTES = 4;
const PAGE_BYTES = 65536;

// Offsets in a thread's memory.
const RECORD = 64;
const SCRATCH = 1024;
const SCRATCH_BYTES = 16384;
const places = { x: SCRATCH + SCRATCH_BYTES, costs: 0, scales: 0, minima: 0, codes: 0 };
places.costs = places.x + WEIGHTS * FLOAT_BYTES;
places.scales = places.costs + WEIGHTS * FLOAT_BYTES;
places.minima = places.scales + (WEIGHTS / RUN_LEAST) * FLOAT_BYTES;
places.codes = places.minima + (WEIGHTS / RUN_LEAST) * FLOAT_BYTES;
const BYTES = places.codes + WEIGHTS;

type Word = keyof typeof places | "runs";

const createMemory = (): WebAssembly.Memory =>
  createWasmMemory({ pages: Math.ceil(BYTES / PAGE_BYTES), word: 32, shared: true });

const kernelOf = (search: RunSearch): Kernel<Word> =>
  "half" in search ? signedKernel(search.run, search.half) : affineKernel(search.run, search.affine);

const keyOf = (search: RunSearch): string => JSON.stringify(search);

/** A kernel for each search that some format's encoder asks for. */
const kernels = new Map<string, Kernel<Word>>();
for (const { asked = [] } of Object.values(formats)) {
  for (const search of asked) getOrMake(kernels, keyOf(search), () => kernelOf(search));
}
const order = [...kernels.keys()];

/** What a thread is given: the kernels' code, and how wide their registers and words are. */
export interface SearchCode {
  readonly code: ThreadCode;
  readonly lanes: number;
  readonly word: 32 | 64;
}

/** Compiles all searches for a tier; whoever does gives the code back when no thread runs it any more. */
export function compileSearches(tier: Tier): { readonly search: SearchCode } & Pick<ModelCode, "release"> {
  const made = tier.compile([...kernels.values()], tier.machine, createMemory());
  const { lanes, word } = tier.machine;
  return { search: { code: made.threadCode, lanes, word }, release: () => made.release() };
}

export class LaneSearches implements RunSearches {
  readonly #memory = createMemory();
  readonly #functions: readonly KernelFunction[];
  readonly #lanes: number;
  readonly #wordBytes: number;
  /** The memory's address as the code sees it. */
  readonly #base: number;

  constructor({ code, lanes, word }: SearchCode) {
    this.#functions = kernelFunctions(code, this.#memory, SCRATCH);
    this.#lanes = lanes;
    this.#wordBytes = word / 8;
    const host = code.kind === "native" ? native() : undefined;
    this.#base = host !== undefined && !("reason" in host) ? host.addressOf(this.#memory.buffer) : 0;
  }

  affine(x: Float32Array, costs: Float32Array, run: number, affine: AffineSearch): AffineFits {
    const [scales, minima] = [new Float32Array(x.length / run), new Float32Array(x.length / run)];
    const codes = new Uint8Array(x.length);
    this.#each({ run, affine }, x, costs, { scales, minima, codes });
    return { scales, minima, codes };
  }

  signed(x: Float32Array, costs: Float32Array, run: number, half: number): SignedFits {
    const [scales, codes] = [new Float32Array(x.length / run), new Uint8Array(x.length)];
    this.#each({ run, half }, x, costs, { scales, codes });
    return { scales, codes };
  }

  /** Runs a kernel over all runs, some at a time, and takes what it finds. */
  #each(
    search: RunSearch,
    x: Float32Array,
    costs: Float32Array,
    found: Readonly<Record<"codes", Uint8Array>> & Readonly<Partial<Record<"scales" | "minima", Float32Array>>>,
  ): void {
    const { run } = search;
    const key = keyOf(search);
    const { words } = kernels.get(key)!;
    const call = this.#functions[order.indexOf(key)];
    const { buffer } = this.#memory;
    const record = new Int32Array(buffer);
    const floats = (at: number, count: number): Float32Array => new Float32Array(buffer, at, count);
    for (let from = 0; from < x.length; from += WEIGHTS) {
      const weights = x.subarray(from, from + WEIGHTS);
      const runs = weights.length / run;
      // runs past the last are whatever was there: nobody takes what is found for them
      const whole = Math.ceil(runs / this.#lanes) * this.#lanes;
      for (const [i, word] of words.entries()) {
        const value = word === "runs" ? whole : this.#base + places[word];
        setWord(record, this.#wordBytes, RECORD + i * this.#wordBytes, value);
      }
      floats(places.x, WEIGHTS).set(weights);
      floats(places.costs, WEIGHTS).set(costs.subarray(from, from + WEIGHTS));
      call(this.#base + RECORD, 0, 1, this.#base + SCRATCH);
      for (const word of ["scales", "minima"] as const) {
        found[word]?.set(floats(places[word], runs), from / run);
      }
      found.codes.set(new Uint8Array(buffer, places.codes, weights.length), from);
    }
  }
}
