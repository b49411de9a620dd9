// Fills a program's inputs for rows of cached sequences and runs it: ids, positions, sequences, adapters, output rows,
// angles, slots and page tables. Leaf names are those of models/trace.ts. Not here: which rows (scheduler.ts).
import type { InputArray, Program } from "../device/executor.ts";
import type { Model } from "../models/model.ts";
import { LOGIT_BLOCK } from "../models/trace.ts";
import { ropeRows } from "../nn/rope.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";
import type { Layout } from "./layout.ts";

/** Rows of one run; begun by `clear`, filled by `add`. One per program. */
export class RowBatch {
  readonly #program: Program;
  readonly #model: Model;
  readonly #layout: Layout;
  readonly #vocabularySize: number;
  /** In case the model does not read them, so that the program has no such input. */
  readonly #positions: Int32Array;
  readonly #sequences: CachedSequence[] = [];
  #rows = 0;
  #outputRows = 0;
  /** Pages of the longest sequence: the width of the page tables. */
  #pages = 0;

  constructor(program: Program, model: Model, layout: Layout) {
    this.#program = program;
    this.#model = model;
    this.#layout = layout;
    this.#vocabularySize = model.vocabularySize;
    this.#positions = new Int32Array(Math.max(layout.chunkRows, layout.decodeRows));
  }

  clear(): void {
    this.#sequences.length = 0;
    this.#rows = 0;
    this.#outputRows = 0;
    this.#pages = 0;
  }

  /** The next `count` ids of `sequence`, reserved before; the last `outputs` of them reach the head. */
  add(sequence: CachedSequence, count: number, outputs: number): void {
    const { inputs } = this.#program;
    for (let i = 0; i < count; i++) {
      const row = this.#rows + i;
      const position = sequence.length + i;
      this.#positions[row] = position;
      set(inputs.ids, row, sequence.ids[position]);
      set(inputs.positions, row, position);
      set(inputs.sequences, row, this.#sequences.length);
      set(inputs.adapters, row, sequence.adapter?.choice ?? 0);
      if (i >= count - outputs) set(inputs.outputRows, this.#outputRows++, row);
      for (const [g, { group }] of this.#layout.groups.entries()) {
        set(inputs[`slots.${group.name}`], row, sequence.slot(g, position));
      }
    }
    this.#rows += count;
    this.#sequences.push(sequence);
    this.#pages = Math.max(this.#pages, Math.ceil((sequence.length + count) / this.#layout.pageSize));
  }

  /** Runs the rows; rejects as Program.run does. */
  async run(signal: AbortSignal): Promise<void> {
    const positions = this.#positions.subarray(0, this.#rows);
    for (const table of this.#model.ropes) {
      const cos = this.#program.inputs[`rope.${table.name}.cos`];
      const sin = this.#program.inputs[`rope.${table.name}.sin`];
      if (cos instanceof Float32Array && sin instanceof Float32Array) ropeRows(table, positions, cos, sin);
    }
    this.#setTables();
    const extents = {
      rows: this.#rows,
      sequences: this.#sequences.length,
      outputRows: this.#outputRows,
      pages: this.#pages,
    };
    await this.#program.run(extents, signal);
  }

  /** The page tables, one after another. */
  #setTables(): void {
    for (const [g, { group }] of this.#layout.groups.entries()) {
      const tables = this.#program.inputs[`pages.${group.name}`];
      if (tables === undefined) continue;
      for (const [s, sequence] of this.#sequences.entries()) {
        const table = sequence.pages(g);
        // a page that is absent is never read: any number that is a page will do
        for (let i = 0; i < this.#pages; i++) tables[s * this.#pages + i] = Math.max(0, table[i]);
      }
    }
  }

  /** The largest logits of output row `index` by block, where the program gives them. */
  peaks(index: number): Float32Array | undefined {
    const all: Float32Array | undefined = this.#program.outputs["logits.peaks"];
    const blocks = Math.ceil(this.#vocabularySize / LOGIT_BLOCK);
    return all?.subarray(index * blocks, (index + 1) * blocks);
  }

  /** Logits (V) of output row `index`, until the next run. */
  logits(index: number): Float32Array {
    return this.#program.outputs.logits.subarray(index * this.#vocabularySize, (index + 1) * this.#vocabularySize);
  }
}

function set(array: InputArray | undefined, index: number, value: number): void {
  if (array !== undefined) array[index] = value;
}
