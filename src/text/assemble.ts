// The Tokenizer that all makers build: sections between added tokens go through the normaliser and the vocabulary's
// encoder, then come what the model wants around a text; decoding goes through the detokenizer.
import { AddedTokens, type AddedToken } from "./added-tokens.ts";
import type { SectionEncoder } from "./section-encoder.ts";
import { bytesOfToken, StreamDetokenizer, type DecodeRules } from "./detokenizer.ts";
import type {
  DecodeOptions,
  Detokenizer,
  EncodeOptions,
  SpecialTokens,
  TokenClass,
  Tokenizer,
  TokenizerKind,
} from "./tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Normalises one section; `atStart`: it begins the text. */
export type Normalize = (section: string, atStart: boolean) => string;

export interface TokenizerParts {
  readonly kind: TokenizerKind;
  readonly vocabulary: Vocabulary;
  readonly specials: SpecialTokens;
  /** Tokens found in the text as it is. */
  readonly added: readonly AddedToken[];
  /** Tokens found in the normalised text between those. */
  readonly addedAfterNormalizing?: readonly AddedToken[];
  readonly normalize?: Normalize;
  /** Applied last, after the second search for added tokens (a pre-tokenizer's own changes to the text). */
  readonly prepare?: Normalize;
  /** Made when the first text is encoded: its tables cost more than all the rest. */
  readonly encoder: () => SectionEncoder;
  /** Consecutive unknown tokens that came out of one section become one. */
  readonly fusedUnknown?: number | undefined;
  readonly rules: DecodeRules;
  /** Ids that `bos: true` puts before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export function assembleTokenizer(parts: TokenizerParts): Tokenizer {
  return new AssembledTokenizer(parts);
}

class AssembledTokenizer implements Tokenizer {
  readonly kind: TokenizerKind;
  readonly vocabularySize: number;
  readonly specials: SpecialTokens;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly before: readonly number[];
  readonly #parts: TokenizerParts;
  readonly #added: AddedTokens;
  readonly #addedAfter: AddedTokens;
  #encoder: SectionEncoder | undefined;

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    this.vocabularySize = parts.vocabulary.size;
    this.specials = parts.specials;
    this.addBos = parts.before.length > 0;
    this.addEos = parts.after.length > 0;
    this.before = parts.before;
    this.#added = new AddedTokens(parts.added);
    this.#addedAfter = new AddedTokens(parts.addedAfterNormalizing ?? []);
  }

  encode(given: string, options: EncodeOptions = {}): number[] {
    const text = given.toWellFormed(); // a lone surrogate has no UTF-8: it is U+FFFD from here on
    const { special = false, plain = [], bos = false } = options;
    const { before, after } = this.#parts;
    const ids: number[] = bos ? [...before] : [];
    let nextPlain = 0; // the first of `plain` that is not behind the sections done
    const hasPlain = (start: number, end: number): boolean => {
      while (plain[nextPlain] < start) nextPlain++;
      return plain[nextPlain] < end;
    };
    this.#added.split(
      text,
      special,
      (start, end, id) => {
        if (id >= 0) ids.push(id);
        // normalising moves offsets, so a section with plain characters has no special tokens behind it at all
        else
          this.#encodeSection(text, start, end, special && !(this.#addedAfter.size > 0 && hasPlain(start, end)), ids);
      },
      plain,
    );
    if (bos) ids.push(...after);
    return ids;
  }

  #encodeSection(text: string, start: number, end: number, special: boolean, ids: number[]): void {
    const { normalize, prepare, addedAfterNormalizing } = this.#parts;
    if (normalize === undefined && prepare === undefined && addedAfterNormalizing === undefined) {
      this.#encodeRange(text, start, end, ids);
      return;
    }
    const section = text.slice(start, end);
    const normalized = normalize === undefined ? section : normalize(section, start === 0);
    this.#addedAfter.split(normalized, special, (from, to, id) => {
      if (id >= 0) {
        ids.push(id);
      } else if (prepare === undefined) {
        this.#encodeRange(normalized, from, to, ids);
      } else {
        const prepared = prepare(normalized.slice(from, to), start === 0 && from === 0);
        this.#encodeRange(prepared, 0, prepared.length, ids);
      }
    });
  }

  #encodeRange(text: string, start: number, end: number, ids: number[]): void {
    const { fusedUnknown } = this.#parts;
    const from = ids.length;
    this.#encoder ??= this.#parts.encoder();
    this.#encoder.encode(text, start, end, ids);
    if (fusedUnknown === undefined) return;
    let kept = from;
    for (let i = from; i < ids.length; i++) {
      if (ids[i] === fusedUnknown && i > from && ids[i - 1] === fusedUnknown) continue;
      ids[kept++] = ids[i]!;
    }
    ids.length = kept;
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.decodeBytes(ids, options));
  }

  decodeBytes(ids: Iterable<number>, options: DecodeOptions = {}): Uint8Array {
    const stream = this.#stream(options);
    let bytes = new Uint8Array(1024);
    let length = 0;
    for (const id of ids) {
      const added = stream.bytes(id);
      if (length + added.length > bytes.length) {
        const grown = new Uint8Array(2 * (length + added.length));
        grown.set(bytes.subarray(0, length));
        bytes = grown;
      }
      bytes.set(added, length);
      length += added.length;
    }
    return bytes.subarray(0, length);
  }

  detokenizer(options: DecodeOptions = {}): Detokenizer {
    return this.#stream(options);
  }

  #stream(options: DecodeOptions): StreamDetokenizer {
    return new StreamDetokenizer(this.#parts.vocabulary, this.#parts.rules, options);
  }

  tokenBytes(id: number): Uint8Array {
    return bytesOfToken(this.#parts.vocabulary, this.#parts.rules, id, false);
  }

  tokenText(id: number): string {
    return this.#parts.vocabulary.text(id);
  }

  tokenClass(id: number): TokenClass {
    return this.#parts.vocabulary.classOf(id);
  }

  isSpecial(id: number): boolean {
    const tokenClass = this.tokenClass(id);
    return tokenClass === "control" || tokenClass === "unknown";
  }

  idOf(tokenText: string): number | undefined {
    return this.#parts.vocabulary.idOf(tokenText);
  }
}
