// Symbols of character-level BPE (SentencePiece's, and Hugging Face's without byte level): every character is one. One
// that the vocabulary lacks is a symbol beyond the vocabulary's size; what is left of it at the end is written as byte
// tokens, or as the unknown token. Also here: merge order by score, and cuts that no token reaches across.
import { UnsupportedError } from "../base/errors.ts";
import type { Symbols } from "./bpe.ts";
import { MergeTable } from "./merge-table.ts";
import type { Split } from "./splits.ts";
import type { Vocabulary } from "./vocabulary.ts";

const encoder = new TextEncoder();
const PAIR_BITS = 1 << 23; // a vocabulary of 262k sets under a tenth of them

/** What becomes of a character that the vocabulary lacks: its bytes' tokens, else the unknown token, else an error. */
export interface Fallback {
  /** Ids of the byte tokens <0x00> … <0xFF>; undefined without byte fallback. */
  readonly byteIds: Int32Array | undefined;
  readonly unknown: number | undefined;
}

/** Appends what stands for a character that the vocabulary lacks. Throws UnsupportedError when nothing does. */
export function pushUnknown(character: string, { byteIds, unknown }: Fallback, into: number[]): void {
  if (byteIds !== undefined) {
    for (const byte of encoder.encode(character)) into.push(byteIds[byte]);
  } else if (unknown !== undefined) {
    into.push(unknown);
  } else {
    throw new UnsupportedError(
      `The vocabulary has no token for the character ${JSON.stringify(character)}, and no unknown token.`,
      { hint: "Use only characters that the model was trained on." },
    );
  }
}

/** Whether a text may become this token. */
export type Accepts = (id: number) => boolean;

export interface CharacterSymbolOptions extends Fallback {
  /** Which tokens a text may become. */
  readonly accepts: Accepts;
  /** What the vocabulary puts after a piece's last character ("</w>"). */
  readonly wordEnd?: string;
}

export class CharacterSymbols implements Symbols {
  /** Ids of one-unit tokens, -1 where there is none. */
  readonly #unitIds = new Int32Array(0x10000).fill(-1);
  readonly #vocabulary: Vocabulary;
  readonly #options: CharacterSymbolOptions;

  constructor(vocabulary: Vocabulary, options: CharacterSymbolOptions) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    for (let id = vocabulary.size - 1; id >= 0; id--) {
      const text = vocabulary.texts[id];
      if (text.length === 1 && options.accepts(id)) this.#unitIds[text.charCodeAt(0)] = id;
    }
  }

  fill(text: string, start: number, end: number, into: Int32Array): number {
    const { size } = this.#vocabulary;
    const { accepts, wordEnd = "" } = this.#options;
    let count = 0;
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      if ((code & 0xf800) === 0xd800) {
        const id = this.#vocabulary.idOf(text.slice(i, i + 2));
        into[count++] = id !== undefined && accepts(id) ? id : size + text.codePointAt(i)!;
        i++;
      } else {
        const id = this.#unitIds[code];
        into[count++] = id < 0 ? size + code : id;
      }
    }
    if (wordEnd !== "" && count > 0) {
      const pair = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00;
      const last = text.slice(end - (pair ? 2 : 1), end);
      into[count - 1] = this.#vocabulary.idOf(last + wordEnd) ?? size + last.codePointAt(0)!;
    }
    return count;
  }

  emit(symbol: number, into: number[]): void {
    const { size } = this.#vocabulary;
    if (symbol < size) into.push(symbol);
    else pushUnknown(String.fromCodePoint(symbol - size), this.#options, into);
  }
}

/** The spelling of the token that stands for a byte, such as <0x0A>. */
export const byteTokenText = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** Ids of <0x00> … <0xFF>; undefined unless all are there. */
export function byteTokenIds(vocabulary: Vocabulary): Int32Array | undefined {
  const ids = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const id = vocabulary.idOf(byteTokenText(byte));
    if (id === undefined) return undefined;
    ids[byte] = id;
  }
  return ids;
}

/** The byte that such a token stands for; undefined for other spellings. */
export function byteOfTokenText(text: string): number | undefined {
  const match = /^<0x([0-9A-Fa-f]{2})>$/.exec(text);
  return match === null ? undefined : Number.parseInt(match[1], 16);
}

/**
 * Merges as SentencePiece's BPE has them: two symbols merge when their text is a piece, the best score first.
 * Pairs are found out as texts ask for them: the vocabulary lists pieces, not merges.
 */
export function mergesByScore(vocabulary: Vocabulary, scores: ArrayLike<number>, accepts: Accepts): MergeTable {
  const rankOf = ranksOfScores(scores, vocabulary.size);
  const textOf = (symbol: number) =>
    symbol < vocabulary.size ? vocabulary.texts[symbol] : String.fromCodePoint(symbol - vocabulary.size);
  return new MergeTable(1 << 12, (left, right) => {
    const id = vocabulary.idOf(textOf(left) + textOf(right));
    return id === undefined || !accepts(id) ? undefined : [rankOf[id], id];
  });
}

/** Normal pieces: control, unknown and byte tokens never come out of text, user-defined ones are matched before. */
export function isPiece(vocabulary: Vocabulary): Accepts {
  return (id) => vocabulary.classOf(id) === "normal";
}

/** Order of the scores, the best 0; equal scores share a rank, so that the leftmost of them merges first. */
function ranksOfScores(scores: ArrayLike<number>, size: number): Int32Array {
  const sorted = Float64Array.from(scores).sort();
  const rankOfScore = new Map<number, number>();
  for (let i = sorted.length - 1; i >= 0; i--) {
    if (!rankOfScore.has(sorted[i])) rankOfScore.set(sorted[i], rankOfScore.size);
  }
  return Int32Array.from({ length: size }, (_, id) => rankOfScore.get(scores[id]) ?? rankOfScore.size);
}

/**
 * Cuts where no token holds the two characters on either side next to each other: no merge can reach across such a
 * place, so the pieces are merged apart with the same result, and short ones can be remembered. A set of pairs in a bit
 * field: two pairs that share a bit only cost a cut.
 */
export function untouchedBorders(vocabulary: Vocabulary, accepts: Accepts): Split {
  const pairs = new Uint8Array(PAIR_BITS / 8);
  for (let id = 0; id < vocabulary.size; id++) {
    if (!accepts(id)) continue;
    const text = vocabulary.texts[id];
    for (let i = 1; i < text.length; i++) {
      const bit = bitOf(text.charCodeAt(i - 1), text.charCodeAt(i));
      pairs[bit >> 3] |= 1 << (bit & 7);
    }
  }
  return (text, start, end, into) => {
    let from = start;
    for (let i = start + 1; i < end; i++) {
      const unit = text.charCodeAt(i);
      if ((unit & 0xfc00) === 0xdc00) continue; // never inside a surrogate pair
      const bit = bitOf(text.charCodeAt(i - 1), unit);
      if ((pairs[bit >> 3] & (1 << (bit & 7))) !== 0) continue;
      into.push(from, i);
      from = i;
    }
    if (from < end) into.push(from, end);
  };
}

function bitOf(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return (hash ^ (hash >>> 15)) & (PAIR_BITS - 1);
}
