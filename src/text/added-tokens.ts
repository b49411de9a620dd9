// Tokens matched in the text itself, before the vocabulary's own method sees what lies between them: control tokens
// (only when the caller parses specials) and user-defined ones. Leftmost match first, the longest of those.
// Options follow tokenizer.json: lstrip and rstrip swallow white space beside the token, single_word asks for word
// borders, normalized matches in the normalised text.
import { characterClass, LETTER, MARK, NUMBER, SPACE } from "./character-classes.ts";
import { LiteralTrie } from "./literal-trie.ts";
import type { SectionEncoder } from "./section-encoder.ts";

export interface AddedToken {
  readonly id: number;
  readonly text: string;
  /** Matched only when specials are parsed. */
  readonly special: boolean;
  readonly stripLeft?: boolean;
  readonly stripRight?: boolean;
  readonly singleWord?: boolean;
}

/** A part of a text: a token (id ≥ 0), or the range [start, end) between tokens (id -1). */
export type OnSection = (start: number, end: number, id: number) => void;

export class AddedTokens {
  readonly #plain = new LiteralTrie();
  readonly #all = new LiteralTrie();
  readonly #tokens: readonly AddedToken[];

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = tokens;
    for (const [index, token] of tokens.entries()) {
      this.#all.add(token.text, index);
      if (!token.special) this.#plain.add(token.text, index);
    }
  }

  get size(): number {
    return this.#tokens.length;
  }

  /**
   * Calls `onSection` for every token and every non-empty text between tokens, in order. `plain`: ascending offsets of
   * characters that are in no special token, whatever they spell.
   */
  split(text: string, special: boolean, onSection: OnSection, plain: readonly number[] = []): void {
    const trie = special ? this.#all : this.#plain;
    let done = 0;
    let nextPlain = 0; // the first of `plain` that is not behind us
    if (trie.size > 0) {
      for (let at = 0; at < text.length;) {
        if (!trie.canStart(text.charCodeAt(at))) {
          at++;
          continue;
        }
        let length = trie.longestMatch(text, at, text.length);
        let token = length > 0 ? this.#tokens[trie.matched] : undefined;
        while (plain[nextPlain] < at) nextPlain++;
        if (token?.special && plain[nextPlain] < at + length) {
          length = this.#plain.longestMatch(text, at, text.length);
          token = length > 0 ? this.#tokens[this.#plain.matched] : undefined;
        }
        if (token === undefined || (token.singleWord && !standsAlone(text, at, at + length))) {
          at++;
          continue;
        }
        let start = at;
        let end = at + length;
        if (token.stripLeft) while (start > done && isSpace(text, start - 1)) start--;
        if (token.stripRight) while (end < text.length && isSpace(text, end)) end++;
        if (start > done) onSection(done, start, -1);
        onSection(start, end, token.id);
        done = end;
        at = end;
      }
    }
    if (done < text.length) onSection(done, text.length, -1);
  }
}

/** Finds added tokens inside a section, and has `inner` encode what lies between. */
export class AddedTokensEncoder implements SectionEncoder {
  readonly #tokens: AddedTokens;
  readonly #inner: SectionEncoder;

  constructor(tokens: AddedTokens, inner: SectionEncoder) {
    this.#tokens = tokens;
    this.#inner = inner;
  }

  encode(text: string, start: number, end: number, into: number[]): void {
    const section = text.slice(start, end);
    this.#tokens.split(section, true, (from, to, id) => {
      if (id >= 0) into.push(id);
      else this.#inner.encode(section, from, to, into);
    });
  }
}

function isSpace(text: string, at: number): boolean {
  return (characterClass(text.charCodeAt(at)) & SPACE) !== 0;
}

function standsAlone(text: string, start: number, end: number): boolean {
  const isWord = (at: number) => {
    const code = text.charCodeAt(at);
    return code === 0x5f || (characterClass(code) & (LETTER | NUMBER | MARK)) !== 0;
  };
  return (start === 0 || !isWord(start - 1)) && (end === text.length || !isWord(end));
}
