// The tokenizer of model files of either kind, as the converter compares them; undefined where there is none.
import type { HfFiles } from "../format/hf-folder.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import { tokenizerFromFolder } from "../text/from-folder.ts";
import { tokenizerFromGguf } from "../text/from-gguf.ts";
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
  return await tokenizerFromFolder(await files.readTextFiles(), files.file);
}
