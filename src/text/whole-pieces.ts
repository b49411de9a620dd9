// Finds pieces of text that are tokens as they stand, for vocabularies that take such a piece without merging. A hash
// table over UTF-16 units, so that the many pieces that are no token are turned away without making a string of them.
import { bytesOfSpelling } from "./byte-alphabet.ts";
import { hashOfUnits } from "./piece-cache.ts";
import type { Vocabulary } from "./vocabulary.ts";

const STRIDE = 2; // hash, id + 1

export class WholePieces {
  readonly #vocabulary: Vocabulary;
  readonly #rows: Int32Array;
  readonly #mask: number;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #byteLevel: boolean;
  #longest = 0;

  /** Over the normal tokens of a vocabulary; `byteLevel`: they are spelled in the byte alphabet. */
  constructor(vocabulary: Vocabulary, byteLevel: boolean) {
    this.#vocabulary = vocabulary;
    this.#byteLevel = byteLevel;
    const slots = 2 ** Math.ceil(Math.log2(vocabulary.size * 1.6 + 16));
    this.#mask = slots - 1;
    this.#rows = new Int32Array(slots * STRIDE);
    for (const id of vocabulary.idsOf("normal")) this.#add(id);
  }

  /** The id of text[start, end), or -1. */
  find(text: string, start: number, end: number): number {
    if (end - start > this.#longest) return -1;
    const hash = hashOfUnits(text, start, end);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = this.#rows[slot * STRIDE + 1] - 1;
      if (id < 0) return -1;
      if (this.#rows[slot * STRIDE] === hash && this.#textOf(id) === text.slice(start, end)) return id;
    }
  }

  #add(id: number): void {
    const text = this.#textOf(id);
    if (text === undefined) return;
    this.#longest = Math.max(this.#longest, text.length);
    const hash = hashOfUnits(text, 0, text.length);
    let slot = hash & this.#mask;
    while (this.#rows[slot * STRIDE + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#rows[slot * STRIDE] = hash;
    this.#rows[slot * STRIDE + 1] = id + 1;
  }

  /** A token's text; undefined when its bytes are only part of a character. */
  #textOf(id: number): string | undefined {
    const spelling = this.#vocabulary.text(id);
    if (!this.#byteLevel || PLAIN.test(spelling)) return spelling;
    const bytes = bytesOfSpelling(spelling);
    if (bytes === undefined) return undefined;
    try {
      return this.#utf8.decode(bytes);
    } catch {
      return undefined;
    }
  }
}

const PLAIN = /^[!-~]+$/; // these spell themselves
