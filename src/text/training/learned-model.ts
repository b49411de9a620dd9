// The parts of tokenizer.json that training makes, besides the pipeline and the special tokens.
import { UsageError } from "../../base/errors.ts";
import { byteTokenText } from "../character-symbols.ts";
import type { JsonObject } from "../huggingface-json.ts";

export interface LearnedModel {
  readonly model: JsonObject;
  readonly decoder: JsonObject;
  readonly vocabularySize: number;
}

/** Of the tokens to learn, those that single characters take at most unless a coverage is asked for. */
export const ALPHABET_SHARE = 0.5;

/** Spellings by id as the field `vocab`. */
export const vocabOf = (texts: readonly string[]): JsonObject =>
  Object.fromEntries(texts.map((text, id) => [text, id]));

/** The tokens <0x00> … <0xFF> that stand for bytes. */
export const byteTokens: readonly string[] = Array.from({ length: 256 }, (_, byte) => byteTokenText(byte));

/** How many of a vocabulary's tokens are left to learn. Throws UsageError where what is in every one does not fit. */
export function roomBeside(vocabularySize: number, specials: number, fixed: number): number {
  const room = vocabularySize - specials - fixed;
  if (room >= 0) return room;
  throw new UsageError(
    `A vocabulary of ${vocabularySize} is too small: ${fixed} tokens for bytes and ${specials} special tokens are in every one.`,
    { field: "vocab" },
  );
}
