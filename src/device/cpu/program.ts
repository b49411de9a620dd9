// A lowered graph in memory: records and the step table, written once; the words and part counts that depend on extents
// are written again before a run whose extents differ. Also the Program that the caller sees.
import { type ExtentValues, type Graph, type Tensor, elementsBound, tableValues } from "../../graph/index.ts";
import type { Kernel, Machine } from "../../lanes/index.ts";
import type { InputArray, Program } from "../executor.ts";
import { checkExtents } from "../leaves.ts";
import { STEP_WORDS } from "./control.ts";
import type { Layout } from "./layout.ts";
import type { LoweredGraph } from "./lower.ts";
import { type Count, type Place, type Word, expectWhole, valueOf } from "./step.ts";

/** Of the step table and the memory's view; words of records are as wide as the machine's. */
const WORD_BYTES = 4;

/** Where a program's own things lie. */
export interface ProgramAddresses {
  readonly table: number;
  /** Of each step's record. */
  readonly records: readonly number[];
  readonly inputs: ReadonlyMap<string, number>;
  readonly tables: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
}

export function placeProgram({ graph, steps }: LoweredGraph, layout: Layout, word: Machine["word"]): ProgramAddresses {
  const bytesOf = (tensor: Tensor): number => elementsBound(tensor.shape) * WORD_BYTES;
  const placeAll = (tensors: Iterable<readonly [string, Tensor]>): Map<string, number> =>
    new Map([...tensors].map(([name, tensor]) => [name, layout.reserve(bytesOf(tensor))]));
  return {
    table: layout.reserve(steps.length * STEP_WORDS * WORD_BYTES),
    records: steps.map(({ kernel }) => layout.reserve(kernel.words.length * (word / 8))),
    inputs: placeAll(graph.inputs),
    tables: placeAll(graph.tables),
    outputs: placeAll(Object.entries(graph.outputs)),
  };
}

/** A lowered graph with its addresses, able to set itself up for a run. */
export class EncodedProgram {
  readonly #lowered: LoweredGraph;
  readonly #addresses: ProgramAddresses;
  readonly #words: Int32Array;
  readonly #wordBytes: number;
  readonly #varying: { at: number; count: Count }[] = [];
  #extents: ExtentValues | undefined;

  /** Writes records and table; `addressOf` gives the address of a place, `indexOf` a kernel's index. */
  constructor(
    lowered: LoweredGraph,
    addresses: ProgramAddresses,
    words: Int32Array,
    word: Machine["word"],
    addressOf: (place: Place) => number,
    indexOf: (kernel: Kernel) => number,
  ) {
    this.#lowered = lowered;
    this.#addresses = addresses;
    this.#words = words;
    this.#wordBytes = word / 8;
    for (const [i, step] of lowered.steps.entries()) {
      const record = addresses.records[i];
      words.set([indexOf(step.kernel), record, 0, 0], addresses.table / WORD_BYTES + i * STEP_WORDS);
      for (const [n, name] of step.kernel.words.entries())
        this.#write(record + n * this.#wordBytes, step.words[name], addressOf);
    }
  }

  get table(): number {
    return this.#addresses.table;
  }

  get stepCount(): number {
    return this.#lowered.steps.length;
  }

  /** Writes what depends on extents, if they are not those of the last run. */
  bind(extents: ExtentValues): void {
    const names = [...this.#lowered.graph.extents.keys()];
    if (this.#extents !== undefined && names.every((name) => this.#extents?.[name] === extents[name])) return;
    for (const { at, count } of this.#varying) this.#set(at, valueOf(count, extents));
    for (const [i, { parts }] of this.#lowered.steps.entries()) {
      this.#words[this.table / WORD_BYTES + i * STEP_WORDS + 2] = parts(extents);
    }
    this.#extents = { ...extents };
  }

  #write(at: number, word: Word, addressOf: (place: Place) => number): void {
    if (typeof word === "number") this.#set(at, word);
    else if ("kind" in word) this.#set(at, addressOf(word));
    else if (word.extent === undefined) this.#set(at, word.times);
    else this.#varying.push({ at, count: word });
  }

  #set(at: number, value: number): void {
    setWord(this.#words, this.#wordBytes, at, value);
  }
}

/** Writes a record's word at byte offset `at`: a count, or an address, which is 2^53 at most. Throws ShapeError for others. */
export function setWord(words: Int32Array, wordBytes: number, at: number, value: number): void {
  expectWhole(value);
  words[at / WORD_BYTES] = value; // the low half: stores wrap
  if (wordBytes > WORD_BYTES) words[at / WORD_BYTES + 1] = Math.floor(value / 2 ** 32);
}

/** The caller's side, and the numbers of its tables; `start` runs the program on the threads. */
export function createProgram(
  graph: Graph,
  addresses: ProgramAddresses,
  memory: WebAssembly.Memory,
  start: (extents: ExtentValues, signal: AbortSignal | undefined) => Promise<void>,
): Program {
  const { buffer } = memory;
  const inputs: Record<string, InputArray> = {};
  for (const [name, { shape, type }] of graph.inputs) {
    const [at, length] = [addresses.inputs.get(name), elementsBound(shape)];
    inputs[name] = type === "i32" ? new Int32Array(buffer, at, length) : new Float32Array(buffer, at, length);
  }
  for (const [name, tensor] of graph.tables) {
    const values = tableValues(tensor);
    const at = addresses.tables.get(name);
    if (values instanceof Int32Array) new Int32Array(buffer, at, values.length).set(values);
    else new Float32Array(buffer, at, values.length).set(values);
  }
  const outputs: Record<string, Float32Array> = {};
  for (const [name, { shape }] of Object.entries(graph.outputs)) {
    outputs[name] = new Float32Array(buffer, addresses.outputs.get(name), elementsBound(shape));
  }
  return {
    inputs,
    outputs,
    async run(extents, signal) {
      checkExtents(graph, extents);
      signal?.throwIfAborted();
      await start(extents, signal);
    },
  };
}
