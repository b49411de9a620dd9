// A Tokenizer from tiktoken's ranks: a token's rank is its id and its place in the order of merges. The pattern and the
// special tokens are not in the file; the known encodings are listed here as OpenAI's tiktoken defines them.
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { assembleTokenizer } from "./assemble.ts";
import { BpeEncoder } from "./bpe.ts";
import { spellBytes } from "./byte-alphabet.ts";
import { ByteSymbols } from "./byte-symbols.ts";
import { byteLevelRules } from "./detokenizer.ts";
import { LiteralTrie } from "./literal-trie.ts";
import { MergeTable } from "./merge-table.ts";
import { patterns, splitOfPattern } from "./pre-tokenizers.ts";
import { findSpecials } from "./special-tokens.ts";
import type { TokenClass, Tokenizer } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";
import { WholePieces } from "./whole-pieces.ts";

export interface RankOptions {
  /** How text is cut before merging, in Rust's regular expression syntax. */
  readonly pattern: string;
  /** Special tokens by spelling. */
  readonly specials: Readonly<Record<string, number>>;
  /** Changes every text between special tokens. */
  readonly normalize?: (text: string) => string;
  readonly bos?: number | undefined;
  readonly eos?: number | undefined;
  /** Ends a turn, and so a reply. */
  readonly eot?: number | undefined;
  /** Ids around a text. Default: BOS before it, where there is one. */
  readonly before?: readonly number[];
  readonly after?: readonly number[];
}

/** OpenAI's encodings by name. */
export const tiktokenEncodings: Readonly<Record<string, RankOptions>> = {
  gpt2: { pattern: patterns.gpt2, specials: { "<|endoftext|>": 50256 } },
  r50k_base: { pattern: patterns.gpt2, specials: { "<|endoftext|>": 50256 } },
  p50k_base: { pattern: patterns.gpt2, specials: { "<|endoftext|>": 50256 } },
  cl100k_base: {
    pattern: patterns.cl100k,
    specials: {
      "<|endoftext|>": 100257,
      "<|fim_prefix|>": 100258,
      "<|fim_middle|>": 100259,
      "<|fim_suffix|>": 100260,
      "<|endofprompt|>": 100276,
    },
  },
  o200k_base: { pattern: patterns.o200k, specials: { "<|endoftext|>": 199999, "<|endofprompt|>": 200018 } },
};

/** `ranks`: tokens by rank, as bytes. `file` is named in errors. */
export function tokenizerFromRanks(
  ranks: ReadonlyMap<number, Uint8Array>,
  options: RankOptions,
  file = "tiktoken ranks",
): Tokenizer {
  const size = Math.max(...Object.values(options.specials), largestOf(ranks.keys())) + 1;
  if (size > 2 * ranks.size + 65536) {
    throw new UnsupportedError(`${file}: ids go up to ${size - 1} with only ${ranks.size} tokens.`);
  }
  // A hole is spelled as nothing in a text can be: U+0000 is outside the byte alphabet.
  const texts = Array.from({ length: size }, (_, id) => `\u0000${id}`);
  const classes: TokenClass[] = Array.from({ length: size }, () => "unused");
  for (const [rank, bytes] of ranks) {
    texts[rank] = spellBytes(bytes);
    classes[rank] = "normal";
  }
  for (const [text, id] of Object.entries(options.specials)) {
    if (classes[id] === "normal") throw new FormatError(file, `rank ${id}`, texts[id], `the special token ${text}`);
    texts[id] = text;
    classes[id] = "control";
  }
  const vocabulary = new Vocabulary(texts, classes, file);
  const specials = findSpecials(vocabulary, {
    bos: options.bos,
    eot: options.eot,
    eos: options.eos ?? options.specials["<|endoftext|>"],
  });
  const { bos } = specials;
  const split = splitOfPattern(options.pattern);
  return assembleTokenizer({
    kind: "byte-level-bpe",
    vocabulary,
    specials,
    added: vocabulary.idsOf("control").map((id) => ({ id, text: vocabulary.text(id), special: true })),
    encoder: () =>
      new BpeEncoder({
        split,
        symbols: new ByteSymbols(vocabulary),
        merges: mergesByRank(vocabulary),
        whole: new WholePieces(vocabulary, true),
      }),
    rules: byteLevelRules,
    ...(options.normalize !== undefined && { normalize: options.normalize }),
    before: options.before ?? (options.bos === undefined || bos === undefined ? [] : [bos]),
    after: options.after ?? [],
  });
}

/**
 * Two symbols merge when their bytes together are a token, in the order of those tokens' ids: every way to cut every
 * token in two is a merge.
 */
function mergesByRank(vocabulary: Vocabulary): MergeTable {
  const trie = new LiteralTrie();
  const ids = vocabulary.idsOf("normal");
  for (const id of ids) trie.add(vocabulary.text(id), id);
  const table = new MergeTable(4 * ids.length);
  for (const id of ids) {
    const text = vocabulary.text(id);
    let node = 0;
    for (let cut = 1; cut < text.length; cut++) {
      node = trie.child(node, text.charCodeAt(cut - 1));
      const left = trie.valueAt(node);
      if (left < 0) continue;
      const right = trie.valueOf(text, cut, text.length);
      if (right >= 0) table.add(left, right, id, id);
    }
  }
  return table;
}

function largestOf(numbers: Iterable<number>): number {
  let largest = 0;
  for (const number of numbers) largest = Math.max(largest, number);
  return largest;
}
