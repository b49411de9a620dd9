// The cutting rule that GGUF names (`tokenizer.ggml.pre`) as the chain of components that tokenizer.json has for it.
import type { JsonObject } from "./huggingface-json.ts";
import { patterns, preTokenizerOf } from "./pre-tokenizers.ts";

/** The pre_tokenizer of tokenizer.json for a name, and whether pieces that are tokens are not merged. */
export function preTokenizerJson(name: string): { readonly component: JsonObject; readonly ignoreMerges: boolean } {
  const row = preTokenizerOf(name);
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const ignoreMerges = row.ignoreMerges ?? false;
  if (row.patterns.length === 1 && row.patterns[0] === patterns.gpt2) {
    return { component: { ...byteLevel, use_regex: true }, ignoreMerges };
  }
  const splits = row.patterns.map((regex) => ({
    type: "Split",
    pattern: { Regex: regex },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    component: { type: "Sequence", pretokenizers: [...splits, { ...byteLevel, use_regex: false }] },
    ignoreMerges,
  };
}
