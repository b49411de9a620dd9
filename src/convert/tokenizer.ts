// The tokenizer of model files of either kind, as the converter compares them; undefined where there is none.
import { joinPath } from "#platform";
import type { HfFiles } from "../format/hf-folder.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import { tokenizerFromGguf } from "../text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../text/from-huggingface.ts";
import { tokenizerFromSentencePiece } from "../text/from-sentencepiece.ts";
import type { TokenClass, Tokenizer } from "../text/tokenizer.ts";

/** GGUF's `token_type`, in the order of its numbers; a file without them has normal tokens only. */
export const tokenTypes = ["unused", "normal", "unknown", "control", "user-defined", "unused", "byte"] as const;

/**
 * What GGUF metadata says of each token. Liang, as llama.cpp, besides takes some for control tokens by their spelling,
 * such as an "</s>" among Qwen's ordinary tokens.
 */
export function declaredClasses(
  metadata: Readonly<Record<string, unknown>>,
  { vocabularySize }: Tokenizer,
): TokenClass[] {
  const types = metadata["tokenizer.ggml.token_type"] as ArrayLike<number> | undefined;
  return Array.from({ length: vocabularySize }, (_, id) => tokenTypes[types?.[id] ?? 1]);
}

/** The ids that the tokenizer puts before and after a text; undefined: none. */
export function aroundText(tokenizer: Tokenizer): { before: number | undefined; after: number | undefined } {
  const around = tokenizer.encode("", { bos: true });
  return {
    before: tokenizer.addBos ? around[0] : undefined,
    after: tokenizer.addEos ? around.at(-1) : undefined,
  };
}

export async function tokenizerOf(
  files: TensorSource | Pick<HfFiles, "file" | "readTextFiles">,
): Promise<Tokenizer | undefined> {
  if (!("readTextFiles" in files)) {
    const model = files.config["tokenizer.ggml.model"];
    return model === undefined || model === "none" || model === "no_vocab"
      ? undefined
      : tokenizerFromGguf(files.config, files.file);
  }
  const texts = await files.readTextFiles();
  const { tokenizer, sentencePiece } = texts;
  if (tokenizer !== undefined) {
    return tokenizerFromHuggingFace({ ...texts, tokenizer }, joinPath(files.file, "tokenizer.json"));
  }
  if (sentencePiece === undefined) return undefined;
  const flag = (name: string): boolean | undefined => {
    const value = texts.tokenizerConfig?.[name];
    return typeof value === "boolean" ? value : undefined;
  };
  const options = { addBos: flag("add_bos_token"), addEos: flag("add_eos_token") };
  return tokenizerFromSentencePiece(sentencePiece, options, joinPath(files.file, "tokenizer.model"));
}
