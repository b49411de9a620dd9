// WordPiece (BERT): text is cleaned and cut into words and punctuation; a word becomes the longest piece at its start,
// then the longest continuing pieces; a word that cannot be covered is one unknown token. Two spellings: "##" before
// continuing pieces (tokenizer.json), or "▁" before first ones (GGUF).
import type { SectionEncoder } from "./section-encoder.ts";
import type { DecodeRules } from "./detokenizer.ts";
import { LiteralTrie } from "./literal-trie.ts";
import { CACHED_LENGTH, PieceCache } from "./piece-cache.ts";
import { Ranges, regExpSplit, sequenceSplit, type Split } from "./splits.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface WordPieceOptions {
  readonly split: Split;
  /** Prefix of pieces that begin a word, and of those that continue one; one of them is "". */
  readonly firstPrefix: string;
  readonly continuingPrefix: string;
  readonly unknown: number;
  /** Longer words are unknown, in characters. */
  readonly wordLengthMax: number;
}

export const BERT_WORD_LENGTH_MAX = 100;

export class WordPieceEncoder implements SectionEncoder {
  readonly #options: WordPieceOptions;
  readonly #first = new LiteralTrie();
  readonly #continuing = new LiteralTrie();
  readonly #cache = new PieceCache();
  readonly #words = new Ranges();

  constructor(vocabulary: Vocabulary, options: WordPieceOptions) {
    this.#options = options;
    const { firstPrefix, continuingPrefix } = options;
    for (const id of vocabulary.idsOf("normal", "control", "user-defined", "unknown")) {
      const text = vocabulary.text(id);
      const [trie, prefix] = beginsWord(text, firstPrefix, continuingPrefix)
        ? [this.#first, firstPrefix]
        : [this.#continuing, continuingPrefix];
      trie.add(text.slice(prefix.length), id);
    }
  }

  encode(text: string, start: number, end: number, into: number[]): void {
    const words = this.#words;
    words.length = 0;
    this.#options.split(text, start, end, words);
    for (let i = 0; i < words.length; i += 2) {
      const from = words.bounds[i];
      const to = words.bounds[i + 1];
      if (to - from > CACHED_LENGTH) {
        this.#encodeWord(text, from, to, into);
      } else if (!this.#cache.get(text, from, to, into)) {
        const before = into.length;
        this.#encodeWord(text, from, to, into);
        this.#cache.put(text, from, to, into, before);
      }
    }
  }

  #encodeWord(text: string, start: number, end: number, into: number[]): void {
    const { unknown, wordLengthMax } = this.#options;
    const before = into.length;
    const tooLong = end - start > wordLengthMax && countCharacters(text.slice(start, end)) > wordLengthMax;
    let at = tooLong ? end : start;
    while (at < end) {
      const trie = at === start ? this.#first : this.#continuing;
      const length = trie.longestMatch(text, at, end);
      if (length === 0) break;
      into.push(trie.matched);
      at += length;
    }
    if (at === end && !tooLong) return;
    into.length = before;
    into.push(unknown);
  }
}

/**
 * The longer prefix decides: "##s" continues, "s" begins; "▁s" begins, "s" continues. A lone "▁" is that character
 * inside a word.
 */
export function beginsWord(piece: string, firstPrefix: string, continuingPrefix: string): boolean {
  if (firstPrefix.length === 0) return !piece.startsWith(continuingPrefix);
  return piece.startsWith(firstPrefix) && piece.length > firstPrefix.length;
}

function countCharacters(text: string): number {
  return text.length - (text.match(/[\u{10000}-\u{10ffff}]/gu)?.length ?? 0);
}

/** Words and single punctuation characters, without white space (tokenizer.json's BertPreTokenizer). */
export const bertSplit: Split = sequenceSplit([
  regExpSplit(/\p{White_Space}+/gu, "removed"),
  regExpSplit(/[!-/:-@[-`{-~\p{P}]/gu, "isolated"),
]);

export interface BertNormalization {
  /** Drop control characters, make all white space a blank. */
  readonly cleanText: boolean;
  /** Blanks around every Chinese character. */
  readonly spaceChinese: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

// As BERT's own code has the ranges (2B920, not 2B820, is what the tokenizers library has).
const CHINESE =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/gu;

/** Normalises as BERT does, in its order. */
export function bertNormalize(text: string, options: BertNormalization): string {
  let normal = text;
  if (options.cleanText) {
    normal = normal
      .toWellFormed()
      .replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\u{fffd}]/gu, "")
      .replace(/\p{White_Space}/gu, " ");
  }
  if (options.spaceChinese) normal = normal.replace(CHINESE, " $& ");
  if (options.stripAccents) normal = normal.normalize("NFD").replace(/\p{Mn}+/gu, "");
  return options.lowercase ? lowerCase(normal) : normal;
}

/** Lower case character by character: a final sigma is like any other. */
export function lowerCase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}

const TIDIED: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Words with blanks between; `tidy` takes them off again before punctuation, as the tokenizers library does. */
export function wordPieceRules(firstPrefix: string, continuingPrefix: string, tidy: boolean): DecodeRules {
  const encoder = new TextEncoder();
  return {
    spell(text, first) {
      const continues = !beginsWord(text, firstPrefix, continuingPrefix);
      const bare = text.slice((continues ? continuingPrefix : firstPrefix).length);
      const isBracketed = firstPrefix.length > 0 && /^\[.+\]$/.test(text); // GGUF's control tokens carry no mark
      let piece = first || (continues && !isBracketed) ? bare : ` ${bare}`;
      if (tidy) for (const [from, to] of TIDIED) piece = piece.replaceAll(from, to);
      return encoder.encode(piece);
    },
    leadingBlanks: "none",
    spellsAll: true,
  };
}
