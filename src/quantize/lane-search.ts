// The searches of numeric/search.ts, several runs side by side, on the calling thread: what encodes weights on threads.
// The kernels: search-kernels.ts.
import { type CompiledKernel, type Kernel, compileKernel, createWasmMemory, wasmMachine } from "../lanes/index.ts";
import type { AffineFits, AffineSearch, RunSearches, SignedFits } from "../numeric/search.ts";
import { getOrMake } from "../base/collections.ts";
import { affineKernel, signedKernel } from "./search-kernels.ts";

/** Weights of a call: what it reads and writes stays in the nearer caches. */
const WEIGHTS = 16384;
const RUN_LEAST = 16;
const FLOAT_BYTES = 4;
const PAGE_BYTES = 65536;

// Offsets in the memory.
const RECORD = 64;
const SCRATCH = 1024;
const places = { x: 16384, costs: 0, scales: 0, minima: 0, codes: 0 };
places.costs = places.x + WEIGHTS * FLOAT_BYTES;
places.scales = places.costs + WEIGHTS * FLOAT_BYTES;
places.minima = places.scales + (WEIGHTS / RUN_LEAST) * FLOAT_BYTES;
places.codes = places.minima + (WEIGHTS / RUN_LEAST) * FLOAT_BYTES;
const BYTES = places.codes + WEIGHTS;

type Word = keyof typeof places | "runs";

export class LaneSearches implements RunSearches {
  readonly #memory = createWasmMemory({ pages: Math.ceil(BYTES / PAGE_BYTES), word: 32, shared: false });
  readonly #kernels = new Map<string, { readonly kernel: Kernel<Word>; readonly run: CompiledKernel }>();

  affine(x: Float32Array, costs: Float32Array, run: number, search: AffineSearch): AffineFits {
    const [scales, minima] = [new Float32Array(x.length / run), new Float32Array(x.length / run)];
    const codes = new Uint8Array(x.length);
    const key = `affine ${run} ${JSON.stringify(search)}`;
    this.#each(key, () => affineKernel(run, search), x, costs, run, { scales, minima, codes });
    return { scales, minima, codes };
  }

  signed(x: Float32Array, costs: Float32Array, run: number, half: number): SignedFits {
    const [scales, codes] = [new Float32Array(x.length / run), new Uint8Array(x.length)];
    this.#each(`signed ${run} ${half}`, () => signedKernel(run, half), x, costs, run, { scales, codes });
    return { scales, codes };
  }

  /** Runs a kernel over all runs, some at a time, and takes what it finds. */
  #each(
    key: string,
    make: () => Kernel<Word>,
    x: Float32Array,
    costs: Float32Array,
    run: number,
    found: Readonly<Record<"codes", Uint8Array>> & Readonly<Partial<Record<"scales" | "minima", Float32Array>>>,
  ): void {
    const { kernel, run: call } = getOrMake(this.#kernels, key, () => {
      const kernel = make();
      return { kernel, run: compileKernel(kernel, wasmMachine, this.#memory, SCRATCH) };
    });
    const { buffer } = this.#memory;
    const record = new Int32Array(buffer, RECORD, kernel.words.length);
    const floats = (at: number, count: number): Float32Array => new Float32Array(buffer, at, count);
    for (let from = 0; from < x.length; from += WEIGHTS) {
      const weights = x.subarray(from, from + WEIGHTS);
      const runs = weights.length / run;
      // runs past the last are whatever was there: nobody takes what is found for them
      const whole = Math.ceil(runs / wasmMachine.lanes) * wasmMachine.lanes;
      record.set(kernel.words.map((word) => (word === "runs" ? whole : places[word])));
      floats(places.x, WEIGHTS).set(weights);
      floats(places.costs, WEIGHTS).set(costs.subarray(from, from + WEIGHTS));
      call(RECORD, 0, 1);
      for (const word of ["scales", "minima"] as const) {
        found[word]?.set(floats(places[word], runs), from / run);
      }
      found.codes.set(new Uint8Array(buffer, places.codes, weights.length), from);
    }
  }
}
