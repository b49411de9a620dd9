// Unigram (SentencePiece, T5, XLM-R): of all ways to cut a text into pieces, the one whose scores add up highest, by
// Viterbi over a trie of the pieces. A character that no piece covers is unknown, at a score below all pieces'.
// Linear in the text, times the longest piece.
import { pushUnknown, type Fallback } from "./character-symbols.ts";
import type { SectionEncoder } from "./section-encoder.ts";
import { LiteralTrie } from "./literal-trie.ts";
import { Ranges, type Split } from "./splits.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface UnigramOptions extends Fallback {
  readonly split: Split;
  /** Ids that text may become. */
  readonly pieces: readonly number[];
  readonly scoreOf: (id: number) => number;
  readonly unknownScore: number;
  /** Path scores are kept in 32 bits, as the SentencePiece library does: near-ties come out as there. */
  readonly singlePrecision: boolean;
}

/** How far below the lowest score an unknown character's lies, in SentencePiece and after it. */
export const UNKNOWN_PENALTY = 10;

/** The lowest score of a normal piece. */
export function lowestScore(vocabulary: Vocabulary, scores: ArrayLike<number>): number {
  return vocabulary.idsOf("normal").reduce((lowest, id) => Math.min(lowest, scores[id]), Infinity);
}

const UNKNOWN = -1;

export class UnigramEncoder implements SectionEncoder {
  readonly #options: UnigramOptions;
  readonly #trie = new LiteralTrie();
  readonly #scores: Float64Array;
  readonly #words = new Ranges();

  constructor(vocabulary: Vocabulary, options: UnigramOptions) {
    this.#options = options;
    this.#scores = new Float64Array(vocabulary.size);
    for (const id of options.pieces) {
      this.#trie.add(vocabulary.text(id), id);
      this.#scores[id] = options.scoreOf(id);
    }
  }

  encode(text: string, start: number, end: number, into: number[]): void {
    const words = this.#words;
    words.length = 0;
    this.#options.split(text, start, end, words);
    for (let i = 0; i < words.length; i += 2) this.#encodeWord(text, words.bounds[i], words.bounds[i + 1], into);
  }

  #encodeWord(text: string, start: number, end: number, into: number[]): void {
    const trie = this.#trie;
    const { unknownScore, singlePrecision } = this.#options;
    const length = end - start;
    const best = singlePrecision ? new Float32Array(length + 1) : new Float64Array(length + 1);
    const from = new Int32Array(length + 1).fill(-1);
    const piece = new Int32Array(length + 1);
    const offer = (to: number, score: number, source: number, id: number) => {
      if (from[to] >= 0 && (singlePrecision ? Math.fround(score) : score) <= best[to]) return;
      best[to] = score;
      from[to] = source;
      piece[to] = id;
    };
    for (let at = 0; at < length;) {
      const character = text.codePointAt(start + at)! > 0xffff && at + 1 < length ? 2 : 1;
      let covered = false;
      let node = 0;
      for (let to = at + 1; to <= length; to++) {
        node = trie.child(node, text.charCodeAt(start + to - 1));
        if (node < 0) break;
        const id = trie.valueAt(node);
        if (id < 0) continue;
        offer(to, this.#scores[id] + best[at], at, id);
        covered ||= to - at === character;
      }
      if (!covered) offer(at + character, unknownScore + best[at], at, UNKNOWN);
      at += character;
    }
    const ends: number[] = [];
    for (let at = length; at > 0; at = from[at]) ends.push(at);
    for (let i = ends.length - 1; i >= 0; i--) {
      const to = ends[i];
      if (piece[to] === UNKNOWN) pushUnknown(text.slice(start + from[to], start + to), this.#options, into);
      else into.push(piece[to]);
    }
  }
}
