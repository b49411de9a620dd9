// Ids → text, one at a time. What a token stands for is bytes; a character may need several tokens, so bytes wait until
// it is whole or known to be invalid (U+FFFD). The space that the encoder puts before a text is taken off at its start.
// Not here: stop strings (chat/).
import { bytesOfSpelling } from "./byte-alphabet.ts";
import { byteOfTokenText } from "./character-symbols.ts";
import type { DecodeOptions, Detokenizer } from "./tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const BLANK = 0x20;

/** How a vocabulary kind writes its tokens. */
export interface DecodeRules {
  /** Bytes of a normal token's spelling; `first`: no text has come before it. */
  spell(text: string, first: boolean): Uint8Array;
  /**
   * Blanks taken off at the start of a text, where the encoder puts one: none, the first token's first, or one of every
   * token until there is text (a normaliser that removes extra white space cannot have meant them).
   */
  readonly leadingBlanks: "none" | "one" | "all";
  /** Every token goes through `spell`, control tokens too (WordPiece puts spaces between all). */
  readonly spellsAll?: boolean;
}

/** Byte-level spellings; one outside the alphabet is an added token, written as it is. */
export const byteLevelRules: DecodeRules = {
  spell: (text) => bytesOfSpelling(text) ?? encoder.encode(text),
  leadingBlanks: "none",
};

/** SentencePiece spellings: "▁" is a space. */
export function sentencePieceRules(leadingBlanks: DecodeRules["leadingBlanks"]): DecodeRules {
  return { spell: (text) => encoder.encode(text.replaceAll("▁", " ")), leadingBlanks };
}

/** Bytes that a token adds to a text. */
export function bytesOfToken(vocabulary: Vocabulary, rules: DecodeRules, id: number, first: boolean): Uint8Array {
  const text = vocabulary.text(id);
  const tokenClass = vocabulary.classOf(id);
  if (tokenClass === "unused") return NOTHING;
  if (tokenClass === "byte") {
    const byte = byteOfTokenText(text);
    if (byte !== undefined) return Uint8Array.of(byte);
  }
  if (tokenClass === "normal" || tokenClass === "byte" || rules.spellsAll) return rules.spell(text, first);
  return encoder.encode(text);
}

export class StreamDetokenizer implements Detokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #rules: DecodeRules;
  readonly #writesSpecial: boolean;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #first: boolean;

  constructor(vocabulary: Vocabulary, rules: DecodeRules, options: DecodeOptions) {
    this.#vocabulary = vocabulary;
    this.#rules = rules;
    this.#writesSpecial = options.special ?? true;
    this.#first = options.start ?? true;
  }

  push(id: number): string {
    const bytes = this.bytes(id);
    return bytes.length === 0 ? "" : this.#utf8.decode(bytes, { stream: true });
  }

  end(): string {
    return this.#utf8.decode();
  }

  /** The bytes that the next id adds. */
  bytes(id: number): Uint8Array {
    const tokenClass = this.#vocabulary.classOf(id);
    if (!this.#writesSpecial && (tokenClass === "control" || tokenClass === "unknown")) return NOTHING;
    const bytes = bytesOfToken(this.#vocabulary, this.#rules, id, this.#first);
    if (!this.#first || bytes.length === 0) return bytes;
    const { leadingBlanks } = this.#rules;
    const rest = leadingBlanks !== "none" && bytes[0] === BLANK ? bytes.subarray(1) : bytes;
    this.#first = leadingBlanks === "all" && rest.length === 0;
    return rest;
  }
}
