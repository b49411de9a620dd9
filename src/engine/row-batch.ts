// Fills a program's inputs for rows of cached sequences and runs it: ids, positions, sequences, adapters, output rows,
// angles, slots and page tables. Leaf names are those of models/trace.ts. Not here: which rows (scheduler.ts).
import type { InputArray, Program } from "../device/executor.ts";
import type { Model } from "../models/model.ts";
import { LOGIT_BLOCK } from "../models/trace.ts";
import { fillRopes } from "../models/rope-inputs.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";
import type { Layout } from "./layout.ts";

/** Rows of one run; begun by `clear`, filled by `add`. One per program. */
export class RowBatch {
  readonly #program: Program;
  readonly #model: Model;
  readonly #layout: Layout;
  readonly #vocabularySize: number;
  /** Of the rows that are being added. */
  readonly #positions: Int32Array;
  readonly #sequences: CachedSequence[] = [];
  #rows = 0;
  #outputRows = 0;
  #sourceRows = 0;
  /** Pages of the longest sequence or source: the width of the page tables. */
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
    this.#sourceRows = 0;
    this.#pages = 0;
  }

  /** The next `count` ids of `sequence`, reserved before; the last `outputs` of them reach the head. */
  add(sequence: CachedSequence, count: number, outputs: number): void {
    const { inputs } = this.#program;
    for (let i = 0; i < count; i++) {
      const row = this.#rows + i;
      const position = sequence.length + i;
      this.#positions[i] = position;
      set(inputs.ids, row, sequence.ids[position]);
      set(inputs.positions, row, position);
      set(inputs.sequences, row, this.#sequences.length);
      set(inputs["last.source"], row, sequence.source.length - 1);
      if (i >= count - outputs) set(inputs.outputRows, this.#outputRows++, row);
      for (const [g, { group }] of this.#layout.groups.entries()) {
        set(inputs[`slots.${group.name}`], row, sequence.slot(g, position));
      }
    }
    // one for all where a program has one sequence
    inputs.adapters?.fill(sequence.adapter?.choice ?? 0, this.#rows, this.#rows + count);
    fillRopes(this.#model, inputs, this.#positions.subarray(0, count), sequence.ropeStage, this.#rows);
    this.#rows += count;
    this.#sequences.push(sequence);
    const longest = Math.max(sequence.length + count, sequence.source.length);
    this.#pages = Math.max(this.#pages, Math.ceil(longest / this.#layout.pageSize));
  }

  /** The source of the one sequence whose first row this run has. */
  addSource(sequence: CachedSequence): void {
    const { inputs } = this.#program;
    const { source } = sequence;
    const positions = Int32Array.from(source.keys());
    for (const position of positions) {
      set(inputs["source.ids"], position, source[position]);
      set(inputs["source.positions"], position, position);
      set(inputs["source.starts"], position, 0);
      set(inputs["source.ends"], position, source.length);
      set(inputs[`slots.${this.#layout.source!.group.name}`], position, sequence.sourceSlot(position));
    }
    inputs["source.adapters"]?.fill(sequence.adapter?.choice ?? 0);
    fillRopes(this.#model, inputs, positions, sequence.ropeStage, 0, "source.");
    this.#sourceRows = source.length;
  }

  /** Runs the rows; rejects as Program.run does. */
  async run(signal: AbortSignal): Promise<void> {
    this.#setTables();
    const extents = {
      rows: this.#rows,
      sequences: this.#sequences.length,
      outputRows: this.#outputRows,
      pages: this.#pages,
      ...(this.#sourceRows > 0 && { sourceRows: this.#sourceRows }),
    };
    await this.#program.run(extents, signal);
  }

  /** The page tables, one after another. */
  #setTables(): void {
    const { groups, source } = this.#layout;
    const setTable = (name: string, pagesOf: (sequence: CachedSequence) => Int32Array): void => {
      const tables = this.#program.inputs[`pages.${name}`];
      if (tables === undefined) return;
      for (const [s, sequence] of this.#sequences.entries()) {
        const table = pagesOf(sequence);
        // a page that is absent is never read: any number that is a page will do
        for (let i = 0; i < this.#pages; i++) tables[s * this.#pages + i] = Math.max(0, table[i]);
      }
    };
    for (const [g, { group }] of groups.entries()) setTable(group.name, (sequence) => sequence.pages(g));
    if (source !== undefined) setTable(source.group.name, (sequence) => sequence.sourcePages);
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
