// Byte-pair encoding of a section of text: cut into pieces, each piece looked up among the pieces seen before, else
// turned into symbols (bytes or characters) and merged. One engine for byte-level vocabularies (GPT-2 and after) and for
// SentencePiece's; they differ in their symbols. Not here: merge order (merge-table.ts), special tokens.
import { BpeMerger } from "./bpe-merge.ts";
import type { MergeTable } from "./merge-table.ts";
import { CACHED_LENGTH, PieceCache } from "./piece-cache.ts";
import type { SectionEncoder } from "./section-encoder.ts";
import { Ranges, type Split } from "./splits.ts";
import type { WholePieces } from "./whole-pieces.ts";

/** What merging starts from and how its results are written. Symbols below the vocabulary's size are token ids. */
export interface Symbols {
  /** Writes the symbols of text[start, end) to `into`, which has room for three a UTF-16 unit; returns how many. */
  fill(text: string, start: number, end: number, into: Int32Array): number;
  /** Appends the ids of one merged symbol. */
  emit(symbol: number, into: number[]): void;
}

export interface BpeParts {
  readonly split: Split;
  readonly symbols: Symbols;
  readonly merges: MergeTable;
  /** Pieces that are tokens need no merging, where the vocabulary says so (`ignore_merges`). */
  readonly whole?: WholePieces;
}

export class BpeEncoder implements SectionEncoder {
  readonly #parts: BpeParts;
  readonly #merger: BpeMerger;
  readonly #cache = new PieceCache();
  readonly #pieces = new Ranges();
  #symbols = new Int32Array(3 * 256);

  constructor(parts: BpeParts) {
    this.#parts = parts;
    this.#merger = new BpeMerger(parts.merges);
  }

  encode(text: string, start: number, end: number, into: number[]): void {
    const pieces = this.#pieces;
    pieces.length = 0;
    this.#parts.split(text, start, end, pieces);
    const { bounds, length } = pieces;
    for (let i = 0; i < length; i += 2) {
      const from = bounds[i];
      const to = bounds[i + 1];
      if (to - from > CACHED_LENGTH) {
        this.#encodePiece(text, from, to, into);
      } else if (!this.#cache.get(text, from, to, into)) {
        const before = into.length;
        this.#encodePiece(text, from, to, into);
        this.#cache.put(text, from, to, into, before);
      }
    }
  }

  #encodePiece(text: string, start: number, end: number, into: number[]): void {
    const { symbols, whole } = this.#parts;
    const id = whole === undefined ? -1 : whole.find(text, start, end);
    if (id >= 0) {
      into.push(id);
      return;
    }
    const room = 3 * (end - start);
    if (this.#symbols.length < room) this.#symbols = new Int32Array(room);
    const count = symbols.fill(text, start, end, this.#symbols);
    const merged = this.#merger.merge(this.#symbols, count);
    for (let i = 0; i < merged; i++) symbols.emit(this.#symbols[i], into);
    if (this.#symbols.length > KEPT_SYMBOLS) this.#symbols = new Int32Array(KEPT_SYMBOLS);
  }
}

// Scratch kept between pieces; one huge piece must not hold its memory for ever.
const KEPT_SYMBOLS = 1 << 16;
