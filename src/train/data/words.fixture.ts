// A tiny tokenizer for tests: every byte a token, two line breaks one, and the control tokens of ChatML and Llama 3.
import { builtInTemplate, createTemplate } from "../../text/template.ts";
import type { ChatTemplate, TemplateVocabulary } from "../../text/template.ts";
import { tokenizerFromHuggingFace } from "../../text/from-huggingface.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

const CONTROLS = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|eot_id|>",
];

/** The byte alphabet of GPT-2: printable bytes stand for themselves, the others for what comes from U+0100 on. */
function byteSymbols(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isOwn = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isOwn ? byte : next++);
  });
}

export const NEWLINE = 10;
export const TWO_NEWLINES = 256;
const FIRST_CONTROL = 257;
export const controlId = (text: string): number => FIRST_CONTROL + CONTROLS.indexOf(text);

/** Ids 0-255 are bytes. `addBos`: a text begins with <|endoftext|>. */
export function tinyTokenizer({ addBos = false }: { addBos?: boolean } = {}): Tokenizer {
  const symbols = byteSymbols();
  const newline = symbols[NEWLINE];
  const vocabulary = Object.fromEntries([...symbols, newline + newline].map((symbol, id) => [symbol, id]));
  return tokenizerFromHuggingFace({
    tokenizer: {
      added_tokens: CONTROLS.map((content) => ({ id: controlId(content), content, special: true, normalized: false })),
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: vocabulary, merges: [`${newline} ${newline}`] },
    },
    tokenizerConfig: {
      bos_token: "<|endoftext|>",
      eos_token: "<|im_end|>",
      add_bos_token: addBos,
      tokenizer_class: "LlamaTokenizerFast",
    },
  });
}

const VOCABULARY: TemplateVocabulary = {
  controlTexts: CONTROLS,
  variables: { bos_token: "<|endoftext|>", eos_token: "<|im_end|>" },
};

/** A built-in's name or Jinja text. */
export const tinyTemplate = (template: string): ChatTemplate =>
  template.includes("{%")
    ? createTemplate({ main: template, named: {} }, VOCABULARY)
    : builtInTemplate(template, VOCABULARY);
