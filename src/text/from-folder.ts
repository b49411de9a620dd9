// A Tokenizer from the text files of a model folder, in whatever form it has them. Folders whose tokenizer is a Python class
// of their own (`auto_map`) are read without it: what the class adds to its files stands in tokenizer-classes.ts.
import { joinPath } from "#platform";
import type { SentencePieceFile } from "./from-sentencepiece.ts";
import type { JsonObject } from "./huggingface-json.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Parsed files of a folder; undefined: it has none of that kind. */
export interface FolderTexts {
  readonly tokenizer: JsonObject | undefined;
  readonly tokenizerConfig: JsonObject | undefined;
  readonly specialTokensMap: JsonObject | undefined;
  readonly generationConfig: JsonObject | undefined;
  readonly sentencePiece: SentencePieceFile | undefined;
  readonly ranks?: { readonly file: string; readonly tokens: ReadonlyMap<number, Uint8Array> } | undefined;
  readonly marian?: { readonly source: SentencePieceFile; readonly vocabulary: JsonObject } | undefined;
}

/**
 * tokenizer.json says more than the others, so it goes first; undefined where there is nothing. `file`: the folder, or the
 * tokenizer.json itself under any name. Makers are loaded when they are needed: a GGUF file's start takes none of their
 * forty modules. Throws what they throw, UnsupportedError for ranks of a class that Liang does not know.
 */
export async function tokenizerFromFolder(texts: FolderTexts, file: string): Promise<Tokenizer | undefined> {
  const { tokenizer, tokenizerConfig, sentencePiece, ranks, marian } = texts;
  if (tokenizer !== undefined) {
    const { tokenizerFromHuggingFace } = await import("./from-huggingface.ts");
    return tokenizerFromHuggingFace(
      { ...texts, tokenizer },
      file.endsWith(".json") ? file : joinPath(file, "tokenizer.json"),
    );
  }
  if (marian !== undefined) {
    const { tokenizerFromMarian } = await import("./from-marian.ts");
    return tokenizerFromMarian(marian, joinPath(file, "vocab.json"));
  }
  if (ranks !== undefined) {
    const { rankOptions } = await import("./tokenizer-classes.ts");
    const { tokenizerFromRanks } = await import("./from-ranks.ts");
    const path = joinPath(file, ranks.file);
    return tokenizerFromRanks(ranks.tokens, rankOptions(ranks.tokens, tokenizerConfig, path), path);
  }
  if (sentencePiece === undefined) return undefined;
  const { sentencePieceOptions } = await import("./tokenizer-classes.ts");
  const { tokenizerFromSentencePiece } = await import("./from-sentencepiece.ts");
  return tokenizerFromSentencePiece(
    sentencePiece,
    sentencePieceOptions(sentencePiece, tokenizerConfig),
    joinPath(file, "tokenizer.model"),
  );
}
