// How much of everything a model gets: rows of its programs, pages of its cache groups. From the options, checked at
// the door; the programs are traced from it and the memory plan is counted from it. Not here: which page is whose.
import { type Graph, STATE_BLOCK_COLUMNS, type StateType, isQuantized, stateTypes } from "../graph/index.ts";
import { UsageError } from "../base/errors.ts";
import type { CacheGroup, Encoder, Model } from "../models/model.ts";
import { traceModel } from "../models/trace.ts";
import { checkWhole } from "./request.ts";
import type { AdapterRoom } from "./adapters.ts";
import type { EngineOptions } from "./types.ts";

/**
 * Rows of a page. A head's keys of one page are 64 rows of contiguous memory (8-32 KB in f16: inside the first cache
 * level), a window of 8192 is 128 entries of a page table, and at most 63 rows of a sequence's last page lie idle.
 */
const PAGE_SIZE = 64;
/**
 * Rows of a prompt chunk where the executor does not say. Reading the weights once for 128 rows costs little beside their
 * arithmetic; longer chunks would only hold up the other sequences and the progress reports, which come once a chunk.
 */
const CHUNK_ROWS = 128;
/** Rows of a decode run, so sequences that go forward in one reading of the weights. */
const DECODE_ROWS_MAX = 8;
/** Rows before the end of a sequence, or before an anchor, that stay reachable in window groups. */
export const ROLLBACK_ROWS = 8;
/** Lengths besides its own end that a sequence can be taken back to in window groups, where there is room. */
export const ANCHORS = 2;
/** Bytes of the logits of one prompt run: how many rows of it reach the head when all are asked for. */
const LOGITS_BYTES = 16 * 2 ** 20;
const SLOTS = 4;

export interface GroupLayout {
  readonly group: CacheGroup;
  /** The most pages that one sequence holds at once. */
  readonly pagesHeld: number;
  /** Of all slots together. */
  readonly pages: number;
}

/** Of what is kept of the sources of sequences. */
export interface SourceLayout extends GroupLayout {
  /** The longest source. */
  readonly rows: number;
}

export interface Layout {
  readonly window: number;
  readonly slots: number;
  readonly kvType: StateType;
  readonly pageSize: number;
  readonly pagesPerSequence: number;
  readonly chunkRows: number;
  readonly decodeRows: number;
  /** Rows of a run of which each reaches the head. */
  readonly outputRows: number;
  readonly groups: readonly GroupLayout[];
  /** Absent: the model reads no source. */
  readonly source?: SourceLayout | undefined;
  readonly adapters?: AdapterRoom | undefined;
}

export type ProgramName = "prompt" | "decode" | "everyRow" | "source";
/** `source` is there for models that read one. */
export type TracedPrograms = Readonly<Record<Exclude<ProgramName, "source">, Graph>> & { readonly source?: Graph };

/** `promptRows`: what the executor takes at once. Throws UsageError that names the option. */
export function layoutOf(model: Model, options: EngineOptions, promptRows = CHUNK_ROWS): Layout {
  const { window, slots = SLOTS, kvType = "f16", pageSize = PAGE_SIZE, adapters } = options;
  const { chunkRows = Math.min(promptRows, window) } = options;
  checkWhole("window", window, 2, model.window);
  checkWhole("slots", slots, 1, 1024);
  checkWhole("pageSize", pageSize, 1, 2 ** 16);
  checkWhole("chunkRows", chunkRows, 1, 2 ** 16);
  checkType(model, kvType);
  const pagesPerSequence = Math.ceil(window / pageSize);
  const rowsOfLogits = Math.max(1, Math.floor(LOGITS_BYTES / (model.vocabularySize * Float32Array.BYTES_PER_ELEMENT)));
  return {
    window,
    slots,
    kvType,
    pageSize,
    pagesPerSequence,
    chunkRows,
    decodeRows: Math.min(slots, DECODE_ROWS_MAX),
    outputRows: Math.min(chunkRows, rowsOfLogits),
    groups: model.cacheGroups.map((group) => {
      const pagesHeld = Math.min(pagesPerSequence, pagesHeldBy(group, pageSize, chunkRows));
      return { group, pagesHeld, pages: slots * pagesHeld };
    }),
    source: model.encoder && sourceLayout(model.encoder, window, slots, pageSize),
    adapters,
  };
}

/** Throws UsageError for what is no type of a cache, and for one whose blocks are no whole part of the model's heads. */
function checkType({ cacheGroups, encoder, family }: Model, kvType: string): void {
  const type = stateTypes.find((known) => known === kvType);
  if (type === undefined) {
    throw new UsageError(`kvType is ${JSON.stringify(kvType)}, expected one of ${stateTypes.join(", ")}.`, {
      field: "kvType",
    });
  }
  const groups = encoder === undefined ? cacheGroups : [...cacheGroups, encoder.group];
  const other = groups.find(({ headSize }) => isQuantized(type) && headSize % STATE_BLOCK_COLUMNS !== 0);
  if (other === undefined) return;
  throw new UsageError(
    `Keys and values of ${type} are blocks of ${STATE_BLOCK_COLUMNS} columns, and heads of this model (${family}) have ${other.headSize}.`,
    { field: "kvType", hint: "Take f16, the default, or f32." },
  );
}

/** Sources may be as long as replies, or as long as the encoder reads if that is less. */
function sourceLayout({ group, window: longest }: Encoder, window: number, slots: number, pageSize: number) {
  const rows = Math.min(window, longest);
  const pagesHeld = Math.ceil(rows / pageSize);
  return { group, rows, pagesHeld, pages: slots * pagesHeld };
}

/** A window group holds what the next rows see, and those rows: anchors live in what is free (cached-sequence.ts). */
function pagesHeldBy({ window }: CacheGroup, pageSize: number, chunkRows: number): number {
  if (window === undefined) return Infinity;
  const pagesOf = (rows: number): number => Math.ceil((rows - 1) / pageSize) + 1; // wherever they begin
  return pagesOf(window + ROLLBACK_ROWS + chunkRows);
}

/** Of each model what was traced last: what is planned is mostly opened then. */
const traced = new WeakMap<Model, { readonly layout: string; readonly programs: TracedPrograms }>();

/**
 * `prompt` takes one chunk of one sequence, whose last row may reach the head; `decode` one row of each of several;
 * `everyRow` some rows of one sequence, all of which reach the head; `source` a source, and the first row of what follows
 * it, which reaches the head. Equal layouts give the same object.
 */
export function tracePrograms(model: Model, layout: Layout): TracedPrograms {
  const text = JSON.stringify(layout);
  const last = traced.get(model);
  if (last?.layout === text) return last.programs;
  const programs = traceAll(model, layout);
  traced.set(model, { layout: text, programs });
  return programs;
}

function traceAll(model: Model, layout: Layout): TracedPrograms {
  const { decodeRows, chunkRows, outputRows, pageSize, pagesPerSequence, kvType, adapters, source } = layout;
  const groups = source === undefined ? layout.groups : [...layout.groups, source];
  const slots = Object.fromEntries(groups.map(({ group, pages }) => [group.name, pages * pageSize]));
  const shared = { pageSize, pages: pagesPerSequence, kvType, slots, adapters };
  return {
    prompt: traceModel(model, { ...shared, rows: chunkRows, sequences: 1, outputRows: 1 }),
    decode: traceModel(model, { ...shared, rows: decodeRows, sequences: decodeRows, outputRows: decodeRows }),
    everyRow: traceModel(model, { ...shared, rows: outputRows, sequences: 1, outputRows }),
    ...(source !== undefined && {
      source: traceModel(model, { ...shared, rows: 1, sequences: 1, outputRows: 1, sourceRows: source.rows }),
    }),
  };
}
