// What the rows of the table (table.ts) work with while a graph is lowered: where a value lies, who reads it, which arena
// places live how long, the steps so far.
import { UnsupportedError } from "../../base/errors.ts";
import {
  type Graph,
  type Tensor,
  elementsBound,
  isInput,
  isParameter,
  isState,
  isTable,
  leafName,
} from "../../graph/index.ts";
import type { Machine } from "../../lanes/index.ts";
import type { ArenaValue } from "../planner.ts";
import type { StoredParameter } from "../executor.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { packedBytes, packedFormat } from "./packed-layouts.ts";
import type { Place, Step, Word } from "./step.ts";

/** Programs whose rows are at most this many use the decode kernels: weights are streamed, not multiplied by a tile. */
export const DECODE_ROWS = 8;

export interface LoweredGraph {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  /** Arena values, by the index that places of kind "arena" carry. */
  readonly arena: readonly ArenaValue[];
  /** Weights in the form in which steps read them. */
  readonly packed: ReadonlySet<string>;
  readonly plain: ReadonlySet<string>;
  /** Of the packed ones, those that a run reads all of. */
  readonly whole: ReadonlySet<string>;
  /** Weight bytes that a run over one row reads, in those forms. */
  readonly bytesPerToken: number;
}

export interface LowerOptions {
  /** What kernels are built for: lowerings choose by its facts. Its word may become wider than said here. */
  readonly machine: Machine;
  readonly parameters: ReadonlyMap<string, StoredParameter>;
  readonly precision: "f32" | "fast";
  /** That will run it: no number depends on it. Default 1. */
  readonly threads?: number;
}

/** What a table row works with. */
export class Lowering {
  readonly graph: Graph;
  readonly options: LowerOptions;
  readonly packed = new Set<string>();
  readonly plain = new Set<string>();
  readonly whole = new Set<string>();
  /** Told the words of each step before it is added: what they name must have been computed by then. */
  beforeStep: (words: readonly Word[]) => void = () => {};
  /** Told a value before what is derived of it is asked for: who computes it may give that too. */
  beforeRead: (tensor: Tensor) => void = () => {};
  readonly #steps: Step[] = [];
  readonly #places = new Map<Tensor, Place>();
  readonly #arena: { bytes: number; firstStep: number; lastStep: number }[] = [];
  readonly #readers = new Map<Tensor, Tensor[]>();
  readonly #outputs = new Map<Tensor, string>();
  readonly #derived = new Map<string, Place>();
  #bytesPerToken = 0;

  constructor(graph: Graph, options: LowerOptions) {
    this.graph = graph;
    this.options = options;
    for (const node of graph.nodes) {
      for (const input of node.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
    }
    for (const [name, tensor] of Object.entries(graph.outputs)) {
      if (tensor.op.result !== "fresh" || this.#outputs.has(tensor)) {
        throw new UnsupportedError(`The output ${name} is ${tensor.op.name}, expected a value of its own.`, {
          hint: "Give each output a name of its own, and of a leaf or a state a computed copy: scale(x, 1).",
        });
      }
      this.#outputs.set(tensor, name);
    }
  }

  /** Where a value lies; a fresh one gets its place the first time it is asked for. */
  place(tensor: Tensor): Place {
    if (tensor.op.result === "alias") return this.place(tensor.inputs[0]);
    const known = this.#places.get(tensor);
    if (known !== undefined) return known;
    const place = this.#newPlace(tensor);
    this.#places.set(tensor, place);
    return place;
  }

  /** Where a value lies, if somebody has asked before. */
  knownPlace(tensor: Tensor): Place | undefined {
    return tensor.op.result === "alias" ? this.knownPlace(tensor.inputs[0]) : this.#places.get(tensor);
  }

  /** A weight in packed form, of which a run reads all, only some rows, or for each row of the run a share. */
  packedWeight(tensor: Tensor, reads: "all" | "by row" | { readonly share: number }): Place {
    const { format, rows, columns, matrices } = this.stored(tensor);
    const bytes = packedBytes(packedFormat(format), rows, columns, matrices);
    const share = reads === "all" ? 1 : reads === "by row" ? 1 / rows : reads.share;
    this.#bytesPerToken += Math.ceil(bytes * share);
    this.packed.add(leafName(tensor));
    if (reads !== "by row") this.whole.add(leafName(tensor));
    return { kind: "packed", name: leafName(tensor) };
  }

  stored(tensor: Tensor): StoredParameter {
    return this.options.parameters.get(leafName(tensor)) as StoredParameter;
  }

  /** A place in the arena that lives from the first step that names it to the last. */
  temporary(bytes: number): Place {
    this.#arena.push({ bytes, firstStep: Infinity, lastStep: -1 });
    return { kind: "arena", index: this.#arena.length - 1 };
  }

  /** What is derived from a value (its rounded form), made once by `make`. */
  derived(tensor: Tensor, form: string, make: () => Place): Place {
    this.beforeRead(tensor);
    const key = `${tensor.id} ${form}`;
    const known = this.#derived.get(key) ?? make();
    this.#derived.set(key, known);
    return known;
  }

  /** What is derived from a value, if somebody has asked before or who computes it gives it. */
  knownDerived(tensor: Tensor, form: string): Place | undefined {
    this.beforeRead(tensor);
    return this.#derived.get(`${tensor.id} ${form}`);
  }

  /** All values that read this one; undefined where it is an output, which the caller reads too. */
  readers(tensor: Tensor): readonly Tensor[] | undefined {
    return this.#outputs.has(tensor) ? undefined : (this.#readers.get(tensor) ?? []);
  }

  /** The only value that reads this one, if no one else does and it is no output. */
  onlyReader(tensor: Tensor): Tensor | undefined {
    const readers = this.#readers.get(tensor) ?? [];
    return readers.length === 1 && !this.#outputs.has(tensor) ? readers[0] : undefined;
  }

  step<W extends string>(step: Step & { readonly words: Readonly<Record<W, Word>> }): void {
    this.beforeStep(Object.values<Word>(step.words));
    for (const word of Object.values<Word>(step.words)) {
      if (typeof word === "number" || !("kind" in word) || word.kind !== "arena") continue;
      const value = this.#arena[word.index];
      value.firstStep = Math.min(value.firstStep, this.#steps.length);
      value.lastStep = this.#steps.length;
    }
    this.#steps.push(step);
  }

  finish(): LoweredGraph {
    const { graph, packed, plain, whole } = this;
    return { graph, steps: this.#steps, arena: this.#arena, packed, plain, whole, bytesPerToken: this.#bytesPerToken };
  }

  #newPlace(tensor: Tensor): Place {
    if (isParameter(tensor)) {
      this.plain.add(leafName(tensor));
      this.#bytesPerToken += elementsBound(tensor.shape) * FLOAT_BYTES;
      return { kind: "plain", name: leafName(tensor) };
    }
    if (isState(tensor)) return { kind: "state", name: leafName(tensor) };
    if (isTable(tensor)) return { kind: "table", name: leafName(tensor) };
    if (isInput(tensor)) return { kind: "input", name: leafName(tensor) };
    const output = this.#outputs.get(tensor);
    if (output !== undefined) return { kind: "output", name: output };
    return this.temporary(elementsBound(tensor.shape) * FLOAT_BYTES);
  }
}
