// Parts of tokenizer.json that every tokenizer written has alike, be it converted or trained.
import type { JsonObject } from "./huggingface-json.ts";

/** What stands for a blank in SentencePiece's spellings. */
export const BLANK_MARK = "▁";

export const blankToMark = { type: "Replace", pattern: { String: " " }, content: BLANK_MARK } as const;

/** Steps of a decoder: marks are blanks again, byte tokens bytes, and all is one text. */
export const spellingDecoders = [
  { type: "Replace", pattern: { String: BLANK_MARK }, content: " " },
  { type: "ByteFallback" },
  { type: "Fuse" },
] as const;

/** The fields of a BPE model that ours all have alike. */
export const plainBpe = {
  type: "BPE",
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
} as const;

/** A row of `added_tokens`; `special`: left out of what is shown. */
export const addedTokenJson = (id: number, content: string, special: boolean): JsonObject => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
});
