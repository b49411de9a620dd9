// The name in GGUF (`tokenizer.ggml.pre`) of a byte-level tokenizer's cutting rule, which tokenizer.json has as a chain of
// components. The other way: text/pre-tokenizer-json.ts. The patterns themselves are text/pre-tokenizers.ts's.
import { UnsupportedError } from "../base/errors.ts";
import { Component } from "../text/huggingface-json.ts";
import { patterns, preTokenizerOf } from "../text/pre-tokenizers.ts";

/** The names to choose from, the best known first: several share a rule. */
const NAMES = [
  "gpt-2",
  "llama-bpe",
  "qwen2",
  "qwen35",
  "dbrx",
  "gpt-4o",
  "tekken",
  "deepseek-llm",
  "deepseek-coder",
  "deepseek-v3",
  "starcoder",
  "falcon",
  "bloom",
  "default",
];
const DIGITS = String.raw`\p{N}`;

/** GGUF's name of a tokenizer.json's pre_tokenizer. Throws UnsupportedError where none cuts by just these patterns. */
export function preTokenizerName(component: Component | undefined, ignoreMerges: boolean): string {
  if (component === undefined) throw new UnsupportedError("The tokenizer has no pre_tokenizer, which GGUF cannot say.");
  const wanted = [...patternsOf(component)];
  const found = NAMES.find((name) => {
    const row = preTokenizerOf(name);
    return (row.ignoreMerges ?? false) === ignoreMerges && plain(row.patterns) === plain(wanted);
  });
  if (found !== undefined) return found;
  throw new UnsupportedError(
    `${component.file}: GGUF has no name for this pre_tokenizer, which cuts by ${wanted.join(" then ")}.`,
  );
}

/** Patterns in one spelling: characters as themselves, quotes without a backslash. */
function plain(list: readonly string[]): string {
  return list
    .join("\0")
    .replaceAll(/\\u\{([0-9a-f]+)\}/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('\\"', '"');
}

function* patternsOf(component: Component): Generator<string> {
  if (component.type === "Sequence") {
    for (const part of component.parts("pretokenizers")) yield* patternsOf(part);
  } else if (component.type === "ByteLevel") {
    if (component.flag("add_prefix_space", true)) component.unsupported(" with add_prefix_space in GGUF");
    if (component.flag("use_regex", true)) yield patterns.gpt2;
  } else if (component.type === "Digits" && component.flag("individual_digits", false)) {
    yield DIGITS;
  } else if (component.type === "Split") {
    const pattern = component.pattern("pattern");
    const invert = component.flag("invert", false);
    const keepsMatches = component.text("behavior") === (invert ? "Removed" : "Isolated");
    if (!keepsMatches || !("regex" in pattern)) component.unsupported(" in GGUF");
    else yield pattern.regex;
  } else component.unsupported(" in GGUF");
}
