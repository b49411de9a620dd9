// WordPiece between its two spellings: a folder marks the pieces that continue a word ("##ing"), GGUF those that begin
// one ("▁the"), as llama.cpp has it. Not here: tokens' classes and roles, which all kinds have alike.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Component } from "../text/huggingface-json.ts";
import type { MetadataReader } from "../text/metadata.ts";
import { BLANK_MARK } from "../text/tokenizer-json.ts";
import type { TokenClass, Tokenizer } from "../text/tokenizer.ts";
import { beginsWord, BERT_WORD_LENGTH_MAX } from "../text/wordpiece.ts";
import { flag, text } from "./entries.ts";

const CONTINUING = "##";
const LOWERCASE = "tokenizer.ggml.normalizer.lowercase";
const STRIP_ACCENTS = "tokenizer.ggml.normalizer.strip_accents";
/** Files by older converters do not mark them: "[unused7]". */
const BRACKETED = /^\[.+\]$/;

/** Pieces of words; other tokens are spelled as they stand in a text. */
const isPiece = (tokenClass: TokenClass): boolean => tokenClass === "normal" || tokenClass === "unused";

export function wordPieceToGgufSpelling(spelling: string, tokenClass: TokenClass): string {
  if (!isPiece(tokenClass)) return spelling;
  return spelling.startsWith(CONTINUING) ? spelling.slice(CONTINUING.length) : BLANK_MARK + spelling;
}

export function wordPieceToHfSpelling(spelling: string, tokenClass: TokenClass): string {
  if (!isPiece(tokenClass) || BRACKETED.test(spelling)) return spelling;
  return beginsWord(spelling, BLANK_MARK, "") ? spelling.slice(BLANK_MARK.length) : CONTINUING + spelling;
}

/**
 * What GGUF says of a tokenizer.json with WordPiece. Throws UnsupportedError for what differs from BERT's, but for case
 * and accents, and for one that puts nothing around a text.
 */
export function wordPieceToGguf(root: Component, tokenizer: Tokenizer): [string, GgufEntry][] {
  const model = root.part("model")!;
  const prefix = model.text("continuing_subword_prefix");
  if (prefix !== CONTINUING) model.unsupported(` with continuing_subword_prefix ${JSON.stringify(prefix)} in GGUF`);
  const lengthMax = model.number("max_input_chars_per_word", BERT_WORD_LENGTH_MAX);
  if (lengthMax !== BERT_WORD_LENGTH_MAX) model.unsupported(` with max_input_chars_per_word ${lengthMax} in GGUF`);
  const preTokenizer = root.part("pre_tokenizer");
  if (preTokenizer?.type !== "BertPreTokenizer")
    (preTokenizer ?? root).unsupported(" without BertPreTokenizer in GGUF");
  const normalizer = root.part("normalizer");
  if (normalizer?.type !== "BertNormalizer") return (normalizer ?? root).unsupported(" without BertNormalizer in GGUF");
  for (const step of ["clean_text", "handle_chinese_chars"]) {
    if (!normalizer.flag(step, true)) normalizer.unsupported(` with ${step} false in GGUF`);
  }
  if (!tokenizer.addBos || !tokenizer.addEos) {
    throw new UnsupportedError(`${root.file} does not put a token before and after a text, as GGUF's WordPiece does.`);
  }
  const lowercase = normalizer.flag("lowercase", true);
  return [
    ["tokenizer.ggml.model", text("bert")],
    ["tokenizer.ggml.pre", text("default")],
    [LOWERCASE, flag(lowercase)],
    [STRIP_ACCENTS, flag(normalizer.flag("strip_accents", lowercase))],
  ];
}

/** The parts of a tokenizer.json; `vocab`: ids by the folder's spelling. */
export function wordPieceToHf(
  metadata: MetadataReader,
  tokenizer: Tokenizer,
  vocab: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const lowercase = metadata.flag(LOWERCASE) ?? true;
  const unknown = tokenizer.specials.unknown!; // GGUF's WordPiece is not opened without one
  return {
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: metadata.flag(STRIP_ACCENTS) ?? lowercase,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: CONTINUING, cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: wordPieceToHfSpelling(tokenizer.tokenText(unknown), tokenizer.tokenClass(unknown)),
      continuing_subword_prefix: CONTINUING,
      max_input_chars_per_word: BERT_WORD_LENGTH_MAX,
      vocab,
    },
  };
}
