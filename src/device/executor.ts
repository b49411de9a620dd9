// What every executor offers: open a parameter store, compile graphs to programs that share one arena, run them.
// A leaf: imports only types of lower layers. Bodies: reference/ (plain loops, f64 sums), cpu/ (machine code or WebAssembly, threads).
import type { OnProgress } from "../base/progress.ts";
import type { ExtentValues } from "../graph/shape.ts";
import type { Graph } from "../graph/tensor.ts";
import type { FormatName } from "../numeric/registry.ts";
import type { CodeCache } from "../store/code-cache.ts";
import type { PackCache } from "../store/pack-cache.ts";

/** One weight as stored: rows of blocks in a number format. A vector has one row. */
export interface StoredParameter {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Matrices of one shape that the rows are, one after another, of which rows choose some (experts); absent: one. */
  readonly matrices?: number;
  readonly format: FormatName;
  /** rows * bytes of a row. */
  readonly byteLength: number;
}

/** Where a store's bytes come from. Equal descriptions: equal bytes of every parameter. */
export interface ParameterOrigin {
  /** Absolute path of the model. */
  readonly path: string;
  /** Of what the store opened. */
  readonly description: string;
  /** Whether all that was read up to now is what the description says. */
  isUnchanged(): Promise<boolean>;
}

/** Named weights, read by range; opened by the engine from model files (later also from a trainer's live arrays). */
export interface ParameterStore {
  readonly parameters: ReadonlyMap<string, StoredParameter>;
  /** Fills `into` with whole rows of `name` from `firstRow` on, in its stored format. */
  readRows(name: string, firstRow: number, into: Uint8Array): Promise<void>;
  /** Absent or undefined: what is made of the parameters cannot be kept for another time. */
  origin?(): Promise<ParameterOrigin | undefined>;
}

export interface OpenOptions {
  /** Compute threads; default: the machine's. */
  readonly threads?: number;
  /** Keep each thread on a core of its own; default false. UnsupportedError where the system does not do it. */
  readonly pin?: boolean;
  /** "f32": activations stay f32 everywhere. "fast" (default): rounded to int8 blocks where weights are quantized. */
  readonly precision?: "f32" | "fast";
  /** Where packed weights are kept between starts; without it they are packed every time. */
  readonly packs?: PackCache | undefined;
  /** Where machine code is kept between starts; without it it is emitted every time. */
  readonly codes?: CodeCache | undefined;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export type InputArray = Int32Array | Float32Array;

/** A compiled graph. Inputs are set by writing into `inputs`; outputs are views that the next run overwrites. */
export interface Program {
  /** Arrays at the extents' bounds; a run reads the leading part. */
  readonly inputs: Readonly<Record<string, InputArray>>;
  /** f32 rows at the extents' bounds, row-major. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /**
   * Runs once. Checks extents against bounds, and i32 inputs are trusted (the engine made them).
   * Rejects with KernelError when a kernel fails, with AbortError within 50 ms of an abort; state rows that the run
   * was to write are then undefined.
   */
  run(extents: ExtentValues, signal?: AbortSignal): Promise<void>;
}

/** What a model takes once it is open; weights as the executor keeps them, which may be more than the file has. */
export interface MemoryUse {
  /** Resident ones: of mapped weights that are read by row, what a conversation touches. */
  readonly weightBytes: number;
  readonly stateBytes: number;
  readonly arenaBytes: number;
  /** The rest: inputs and outputs of programs, code, threads. */
  readonly runtimeBytes: number;
  /** How much more the executor could address; negative: this is too much, and `open` throws MemoryError. */
  readonly headroomBytes: number;
  /** Read from weights by one run of a program at its smallest extents: what decoding one token streams. */
  readonly bytesPerToken: Readonly<Record<string, number>>;
}

/** How weights came to where they are. */
export interface OpenWeights {
  /** "mapped" or "read": from a file in which they were kept packed; "packed": from the model's own file. */
  readonly from: "mapped" | "read" | "packed";
  /** Why they are not kept for the next time, where they should be; it may come while the model runs already. */
  readonly note?: string;
}

/** Weights in place, state allocated (zeroed), programs compiled. One owner; `close` frees everything. */
export interface OpenModel<P extends string = string> extends AsyncDisposable {
  readonly programs: Readonly<Record<P, Program>>;
  /** The f32 states: views to be read and written between runs. */
  readonly states: Readonly<Record<string, Float32Array>>;
  /**
   * Copies `count` rows of a cache's state from row `from` to row `to`, between runs. They are the slots of whole pages, and
   * `heads` are the key-value heads in a row: how a page of a head lies is the executor's business.
   */
  copyRows(state: string, heads: number, from: number, to: number, count: number): void;
  readonly memory: MemoryUse;
  readonly threads: number;
  /** Absent where they are as the store has them. */
  readonly weights?: OpenWeights;
  close(): Promise<void>;
}

export interface Executor {
  readonly name: "reference" | "cpu";
  /** The kernel set in use: "f64" for the reference, "wasm", "avx2", ... (device/cpu/tiers.ts). */
  readonly tier: string;
  /** What a person should know, such as why a slower kernel set than the machine's is in use; a sentence. */
  readonly notice?: string;
  /** The format in which weights of `format` are kept for its kernels; absent: as they are. */
  readonly keptAs?: (format: FormatName) => FormatName;
  /** Rows of a prompt that are worth running at once: fewer are read slower, more hold up others longer. */
  readonly promptRows?: number;
  /** What `open` would take, counted: reads no weight and allocates nothing of size. Throws as `open` does by then. */
  plan(
    store: Pick<ParameterStore, "parameters">,
    graphs: Readonly<Record<string, Graph>>,
    options?: OpenOptions,
  ): Promise<MemoryUse>;
  /** Leaf names mean the same thing in all graphs of one call: one weight, one state. */
  open<P extends string>(
    store: ParameterStore,
    graphs: Readonly<Record<P, Graph>>,
    options?: OpenOptions,
  ): Promise<OpenModel<P>>;
}
