// The pre-tokenizers that GGUF files name (`tokenizer.ggml.pre`) and what else the name settles. Each row is the pattern
// of the model's original tokenizer; those in `scans` have a hand-written scanner that cuts alike.
// Not here: pre-tokenizers described inside tokenizer.json (huggingface-pre-tokenizers.ts).
import { UnsupportedError } from "../base/errors.ts";
import type { Anchors } from "./pattern.ts";
import { patternSplit, sequenceSplit, type Split } from "./splits.ts";
import { scanGpt2, trailingSpaceScanner, wordScanner, type WordScanner } from "./scanners.ts";

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPACES = String.raw`\s+(?!\S)|\s+`;
const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|${SPACES}`;
const words = (digits: string, before = `${CONTRACTIONS}|`) =>
  String.raw`${before}[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|${SPACES}`;
const casedWords = (digits: string, tail: string) =>
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+${tail}|` +
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*${tail}|` +
  String.raw`${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|${SPACES}`;
const TRAILING_SPACE = String.raw`\s+$`;
const DIGITS_3 = String.raw`\p{N}{1,3}`;

const PLAIN: WordScanner = {
  digits: 1,
  contractions: "before",
  byCase: false,
  slashes: false,
  wholeTrailingSpace: false,
};
const CASED: WordScanner = { ...PLAIN, digits: 3, contractions: "tail", byCase: true, slashes: true };

/** Patterns by the encoding that made them known. */
export const patterns = {
  gpt2: GPT2,
  /** As first published; tiktoken's Python package has since taken all white space at a text's end as one piece. */
  cl100k: words(DIGITS_3),
  cl100kRewritten: String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`,
  gpt2Rewritten: String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s`,
  o200k: casedWords(DIGITS_3, `${CONTRACTIONS}?`),
  qwen2: words(String.raw`\p{N}`),
  tekken: casedWords(String.raw`\p{N}`, ""),
} as const;

/** A scanner and the exact text of the pattern that it cuts by. */
export interface Scan {
  readonly pattern: string;
  readonly split: Split;
  /** What its $ means; undefined: it has none. */
  readonly anchors?: Anchors;
  /** Nothing lies between its matches. */
  readonly everywhere: boolean;
}

const everywhere = (pattern: string, split: Split): Scan => ({
  pattern,
  split,
  everywhere: true,
  ...(pattern.includes("$") ? { anchors: "text" } : {}),
});

/** All scanners. */
export const scans: readonly Scan[] = [
  everywhere(patterns.gpt2, scanGpt2),
  everywhere(patterns.gpt2Rewritten, scanGpt2),
  everywhere(patterns.cl100k, wordScanner({ ...PLAIN, digits: 3 })),
  everywhere(patterns.cl100kRewritten, wordScanner({ ...PLAIN, digits: 3, wholeTrailingSpace: true })),
  everywhere(patterns.qwen2, wordScanner(PLAIN)),
  everywhere(words(String.raw`\p{N}`, ""), wordScanner({ ...PLAIN, contractions: "none" })),
  everywhere(words(String.raw`\p{N}+`), wordScanner({ ...PLAIN, digits: Infinity })),
  everywhere(patterns.o200k, wordScanner(CASED)),
  everywhere(patterns.tekken, wordScanner({ ...CASED, digits: 1, contractions: "none" })),
  // as expressions these are quadratic in a run of white space that ends in something else
  { pattern: TRAILING_SPACE, split: trailingSpaceScanner("text"), anchors: "text", everywhere: false },
  { pattern: TRAILING_SPACE, split: trailingSpaceScanner("line"), anchors: "line", everywhere: false },
];

/** The scanner that cuts by `pattern`, undefined when there is none. */
export function scanOf(pattern: string, anchors: Anchors = "text"): Scan | undefined {
  return scans.find((scan) => scan.pattern === pattern && (scan.anchors ?? anchors) === anchors);
}

/** The fastest split that cuts by `pattern`. Throws UnsupportedError for syntax that cannot be expressed. */
export function splitOfPattern(pattern: string): Split {
  return scanOf(pattern)?.split ?? patternSplit(pattern);
}

/** Cased letters as DeepSeek LLM's tokenizer lists them: code point ranges in hexadecimal. */
const DEEPSEEK_CASED = `
41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376-377 37b-37d 37f 386 388-38a 38c
38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b
1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4
1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113
2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183-2184 2c00-2c7b
2c7e-2ce4 2ceb-2cee 2cf2-2cf3 a640-a66d a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06
fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df
1e900-1e943`;
const deepseekLetters = DEEPSEEK_CASED.trim()
  .split(/\s+/)
  .map((range) => range.replaceAll(/[0-9a-f]+/g, String.raw`\u{$&}`))
  .join("");
const DEEPSEEK_CJK = String.raw`[\u{4e00}-\u{9fa5}\u{800}-\u{4e00}\u{ac00}-\u{d7ff}]+`;
const DEEPSEEK3 = String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${"`"}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|${SPACES}`;
const BLOOM = String.raw` ?[^(\s|.,!?\u{2026}\u{3002}\u{ff0c}\u{3001}\u{964}\u{6d4}\u{60c})]+`;

export interface PreTokenizer {
  /** Patterns applied in turn. */
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is not merged. */
  readonly ignoreMerges?: boolean;
  /** BOS is added unless the file says otherwise. */
  readonly addBos?: boolean;
}

const ROWS: readonly (readonly [names: readonly string[], row: PreTokenizer])[] = [
  [
    ["gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum"],
    { patterns: [GPT2] },
  ],
  [
    ["modern-bert", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "jina-v1-en", "jina-v2-code"],
    { patterns: [GPT2] },
  ],
  [["roberta-bpe"], { patterns: [GPT2] }],
  [
    ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
    { patterns: [words(DIGITS_3)], ignoreMerges: true, addBos: true },
  ],
  [["dbrx", "smaug-bpe", "glm4", "chatglm-bpe", "cl100k"], { patterns: [words(DIGITS_3)] }],
  [
    ["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2"],
    { patterns: [words(String.raw`\p{N}`)] },
  ],
  [["ufakzeka"], { patterns: [words(String.raw`\p{N}`, "")] }],
  [
    ["qwen35"],
    {
      patterns: [
        String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|${SPACES}`,
      ],
    },
  ],
  [["minicpm5"], { patterns: [DIGITS_3, words(String.raw`\p{N}+`)], ignoreMerges: true }],
  [["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], { patterns: [casedWords(DIGITS_3, `${CONTRACTIONS}?`)] }],
  [["tekken"], { patterns: [casedWords(String.raw`\p{N}`, "")], ignoreMerges: true, addBos: true }],
  [
    ["deepseek-llm"],
    {
      patterns: [
        "[\r\n]",
        String.raw`\s?[${deepseekLetters}]+`,
        String.raw`\s?[!-/:-~\u{ff01}-\u{ff0f}\u{ff1a}-\u{ff5e}\u{2018}-\u{201f}\u{3000}-\u{3002}]+`,
        TRAILING_SPACE,
        DEEPSEEK_CJK,
        String.raw`\p{N}+`,
      ],
    },
  ],
  [
    ["deepseek-coder"],
    { patterns: ["[\r\n]", String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, DEEPSEEK_CJK, String.raw`\p{N}`] },
  ],
  [
    ["deepseek-v3", "hunyuan-dense", "joyai-llm"],
    { patterns: [DIGITS_3, String.raw`[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+`, DEEPSEEK3] },
  ],
  [
    ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
    { patterns: [String.raw`\p{N}`, GPT2] },
  ],
  [["falcon"], { patterns: [String.raw`[\p{P}\$\+<=>\^~\|${"`"}]+`, GPT2, "[0-9][0-9][0-9]"] }],
  [["default"], { patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, "[0-9][0-9][0-9]"] }],
  [["poro-chat", "bloom", "gpt3-finnish"], { patterns: [BLOOM] }],
  [["viking"], { patterns: [BLOOM, String.raw`\p{N}`] }],
  [
    ["bailingmoe", "bailingmoe2", "llada-moe"],
    {
      patterns: [
        String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|${SPACES}`,
      ],
    },
  ],
  [
    ["seed-coder"],
    {
      patterns: [
        String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|${SPACES}`,
      ],
    },
  ],
];

const byName = new Map(ROWS.flatMap(([names, row]) => names.map((name) => [name, row] as const)));

const known = new Set([...Object.values(patterns), ...ROWS.flatMap(([, row]) => row.patterns)]);

/** Whether a pattern is one of ours, which the host's own engine runs in linear time. */
export const isKnownPattern = (pattern: string): boolean => known.has(pattern);

/** All names that `preTokenizerOf` knows. */
export const preTokenizerNames = (): string[] => [...byName.keys()];

/** The pre-tokenizer of a name. Throws UnsupportedError: cutting some other way would give other tokens. */
export function preTokenizerOf(name: string): PreTokenizer {
  const row = byName.get(name);
  if (row !== undefined) return row;
  throw new UnsupportedError(`The pre-tokenizer ${JSON.stringify(name)} (tokenizer.ggml.pre) is unknown.`, {
    hint: `Known: ${preTokenizerNames().join(", ")}.`,
  });
}

/** The split of a row's patterns. */
export function splitOfPreTokenizer(row: PreTokenizer): Split {
  return sequenceSplit(row.patterns.map(splitOfPattern));
}
