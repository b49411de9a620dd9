// What `liang quantize` takes where a person says nothing: the text to compare over, the name of the file.
import { basename } from "node:path";
import { mixNames } from "../quantize/index.ts";
import { languageSamples } from "./language-samples.ts";
import { readTextFile } from "./text-file.ts";

/** The text that a person named, else ours: prose of several languages and a bit of code. */
export const comparedText = async (file: string | undefined): Promise<string> =>
  file === undefined ? languageSamples.map(({ text }) => text).join("\n\n") : await readTextFile(file);

/** "models/qwen-f16.gguf", "Q4_K_M" -> "qwen-Q4_K_M.gguf". */
export const outputName = (from: string, type: string): string => `${stemOf(from)}-${type}.gguf`;

/** A model's name without the type that it is stored in. */
export function stemOf(from: string): string {
  const stem = basename(from).replace(/\.gguf$/i, "");
  const types = [...mixNames, "FP16", "FP32"].join("|");
  return stem.replace(new RegExp(`[-_.](${types})$`, "i"), "");
}
