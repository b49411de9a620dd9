// What the rest of Liang sees of a tokenizer: text ↔ ids, the classes of tokens, special ids, a streaming detokenizer.
// Bodies: vocabulary kinds in bpe.ts, sentencepiece-bpe.ts, unigram.ts, wordpiece.ts; makers in from-*.ts.
// Not here: chat templates, training.

/** What a vocabulary entry is (GGUF's `tokenizer.ggml.token_type` in its order, from 1). */
export type TokenClass = "normal" | "unknown" | "control" | "user-defined" | "unused" | "byte";

export type TokenizerKind = "none" | "byte-level-bpe" | "sentencepiece-bpe" | "unigram" | "wordpiece";

export interface EncodeOptions {
  /**
   * Recognise control tokens written in the text. Default false: a pasted `<|im_end|>` is plain text.
   * User-defined tokens (a class of GGUF and SentencePiece) are recognised either way, as llama.cpp does.
   */
  special?: boolean;
  /**
   * With `special`: ascending UTF-16 offsets of characters that belong to no control token, because a person wrote
   * them: a control token's text over any of these is plain text. How a template's prompt is encoded (template.ts).
   */
  plain?: readonly number[];
  /** Add what the model wants around a text: BOS, EOS, or [CLS] … [SEP]. Default false. */
  bos?: boolean;
}

export interface DecodeOptions {
  /** Write control tokens out as their text. Default true; false leaves them out. */
  special?: boolean;
  /**
   * The ids begin a text, so the space that the encoder puts before a text (SentencePiece's dummy prefix) is taken
   * off again. Default true; false when the ids continue a text already shown.
   */
  start?: boolean;
}

/** Ids of tokens with a role; undefined where the vocabulary has none. */
export interface SpecialTokens {
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** End of turn. */
  readonly eot: number | undefined;
  /** End of message (a turn that continues, such as a tool call). */
  readonly eom: number | undefined;
  readonly unknown: number | undefined;
  readonly pad: number | undefined;
  /** [SEP] and [CLS] of BERT-like models, [MASK] of masked ones. */
  readonly separator: number | undefined;
  readonly classifier: number | undefined;
  readonly mask: number | undefined;
  /** Generation stops at any of these: eos, eot, eom and tokens known by name. */
  readonly endOfGeneration: ReadonlySet<number>;
}

/** Ids in, text out, a piece at a time. The pieces joined equal `decode` of the same ids. One owner, one use. */
export interface Detokenizer {
  /** Text that can no longer change; "" while bytes of a character are still to come. */
  push(id: number): string;
  /** What is left: incomplete bytes become U+FFFD. */
  end(): string;
}

/** Immutable and free of side effects, but for caches. Ids outside the vocabulary throw UsageError. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  readonly vocabularySize: number;
  readonly specials: SpecialTokens;
  /** Whether `bos: true` puts something before, after the text. */
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** What it puts before. Default: BOS. */
  readonly before?: readonly number[];

  encode(text: string, options?: EncodeOptions): number[];
  /** Text of the ids; bytes that are no UTF-8 become U+FFFD as `TextDecoder` has it. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** Bytes of the ids, joined: `decode` before UTF-8. Differs from it for WordPiece, whose decoder tidies spaces. */
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  detokenizer(options?: DecodeOptions): Detokenizer;

  /** The bytes a token stands for in a text (control tokens: their text's). */
  tokenBytes(id: number): Uint8Array;
  /** The vocabulary's own spelling ("Ġthe", "▁the", "<0x0A>"), for showing and for GGUF. */
  tokenText(id: number): string;
  tokenClass(id: number): TokenClass;
  /** Control or unknown: left out of text shown to people. */
  isSpecial(id: number): boolean;
  /** Id of a vocabulary spelling, undefined when there is none. */
  idOf(tokenText: string): number | undefined;
}
