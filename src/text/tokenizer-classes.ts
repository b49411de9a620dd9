// What Python classes of tokenizers add to their files, where a folder names one and has no tokenizer.json: patterns, special
// tokens, and what they put around a text. One row a class. Sources: tokenization_chatglm.py of ChatGLM 3 and of GLM-4,
// tokenization_hy.py of Hunyuan, tokenization_baichuan.py (which adds nothing), as published with the models.
import { UnsupportedError } from "../base/errors.ts";
import type { RankOptions } from "./from-ranks.ts";
import type { SentencePieceFile, SentencePieceOptions } from "./from-sentencepiece.ts";
import type { JsonObject } from "./huggingface-json.ts";
import { patterns } from "./pre-tokenizers.ts";

type Config = JsonObject | undefined;

const textAt = (config: Config, key: string): string | undefined => {
  const value = config?.[key];
  const content = typeof value === "object" && value !== null ? (value as JsonObject)["content"] : value;
  return typeof content === "string" ? content : undefined;
};

const flagAt = (config: Config, key: string): boolean | undefined => {
  const value = config?.[key];
  return typeof value === "boolean" ? value : undefined;
};

/** `added_tokens_decoder`: special tokens by spelling. */
function addedTokens(config: Config): Record<string, number> {
  const listed = config?.["added_tokens_decoder"];
  if (typeof listed !== "object" || listed === null) return {};
  const entries = Object.entries(listed as JsonObject).map(([id, token]) => [
    textAt({ token }, "token") ?? "",
    Number(id),
  ]);
  return Object.fromEntries(entries.filter(([text, id]) => text !== "" && Number.isSafeInteger(id)));
}

type RankClass = (ranks: ReadonlyMap<number, Uint8Array>, config: Config) => RankOptions;

/** GLM-4's special tokens where its config lists none: their ids follow the ranks. */
const GLM_4 = [
  "<|endoftext|>",
  "[MASK]",
  "[gMASK]",
  "[sMASK]",
  "<sop>",
  "<eop>",
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|observation|>",
  "<|begin_of_image|>",
  "<|end_of_image|>",
  "<|begin_of_video|>",
  "<|end_of_video|>",
];

/** Hunyuan's: their ids follow the ranks. */
const HUNYUAN = ["<|endoftext|>", "<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>"];
/** <|extra_0|> and so on; some releases have one less, whose last id is no token then. */
const HUNYUAN_EXTRAS = 205;

const following = (ranks: ReadonlyMap<number, unknown>, names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.map((name, i) => [name, ranks.size + i]));

const rankClasses: Readonly<Record<string, RankClass>> = {
  ChatGLM4Tokenizer(ranks, config) {
    const listed = addedTokens(config);
    const specials = Object.keys(listed).length > 0 ? listed : following(ranks, GLM_4);
    return {
      pattern: patterns.cl100k,
      specials,
      eos: specials[textAt(config, "eos_token") ?? "<|endoftext|>"],
      eot: specials["<|user|>"],
      before: [specials["[gMASK]"], specials["<sop>"]],
    };
  },
  HYTokenizer(ranks, config) {
    const extras = Array.from({ length: HUNYUAN_EXTRAS }, (_, i) => `<|extra_${i}|>`);
    const specials = following(ranks, [...HUNYUAN, ...extras]);
    const idOf = (key: string, byDefault: string): number => specials[textAt(config, key) ?? byDefault];
    const [first, last] = [idOf("bod_token", "<|startoftext|>"), idOf("eod_token", "<|endoftext|>")];
    return {
      pattern: patterns.qwen2,
      specials,
      normalize: (text) => text.normalize("NFC"),
      bos: idOf("bos_token", "<|startoftext|>"),
      eos: idOf("eos_token", "<|endoftext|>"),
      before: flagAt(config, "add_bod_token") === false ? [] : [first],
      after: flagAt(config, "add_eod_token") === false ? [] : [last],
    };
  },
};

/** Of ranks (tiktoken's files), which say nothing else. Throws UnsupportedError for a class that is not known. */
export function rankOptions(ranks: ReadonlyMap<number, Uint8Array>, config: Config, file: string): RankOptions {
  const name = textAt(config, "tokenizer_class") ?? "none";
  const row = Object.hasOwn(rankClasses, name) ? rankClasses[name] : undefined;
  if (row !== undefined) return row(ranks, config);
  throw new UnsupportedError(`${file} has no pattern and no special tokens, and tokenizer_class is ${name}.`, {
    hint: `Liang knows ${Object.keys(rankClasses).join(", ")}; other folders need a tokenizer.json.`,
  });
}

/** ChatGLM 3's tokens besides its pieces, whose ids they follow; ChatGLM 2 has the first five. */
const CHATGLM = [
  "[MASK]",
  "[gMASK]",
  "[sMASK]",
  "sop",
  "eop",
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|observation|>",
];

/** Of a SentencePiece model, which says all but what is put around a text. */
export function sentencePieceOptions({ ids }: SentencePieceFile, config: Config): SentencePieceOptions {
  // T5's has no BOS and says nothing: its texts are known by their end
  const addEos = flagAt(config, "add_eos_token") ?? ids.bos < 0;
  if (textAt(config, "tokenizer_class") === "ChatGLMTokenizer") {
    return { more: CHATGLM, before: ["[gMASK]", "sop"], eot: "<|user|>", ends: ["<|observation|>"], addEos: false };
  }
  const addBos = flagAt(config, "add_bos_token");
  return { ...(addBos !== undefined && { addBos }), addEos };
}
