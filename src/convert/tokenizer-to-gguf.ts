// A folder's tokenizer as GGUF metadata, by llama.cpp's conventions: vocabularies are filled up to the embedding's rows,
// merges are pairs joined by a blank, SentencePiece pieces have scores. Not here: WordPiece and Unigram (wordpiece.ts,
// unigram.ts), config, tensors.
import { UnsupportedError } from "../base/errors.ts";
import { joinPath } from "#platform";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { HfTextFiles } from "../format/hf-folder.ts";
import { Component } from "../text/huggingface-json.ts";
import { prependScheme } from "../text/huggingface-pre-tokenizers.ts";
import type { Tokenizer, TokenClass } from "../text/tokenizer.ts";
import { count, flag, floats, integers, text, texts } from "./entries.ts";
import { preTokenizerName } from "./pre-tokenizers.ts";
import { aroundText, tokenTypes } from "./tokenizer.ts";
import { unigramToGguf } from "./unigram.ts";
import { wordPieceToGguf, wordPieceToGgufSpelling } from "./wordpiece.ts";

type Entries = [key: string, entry: GgufEntry][];

interface Folder {
  readonly path: string;
  readonly files: HfTextFiles;
  /** The tokenizer that `files` make; undefined: there is none. */
  readonly tokenizer: Tokenizer | undefined;
  /** Rows of the embedding. */
  readonly vocabularySize: number;
}

/** Throws UnsupportedError for a tokenizer that GGUF cannot say. */
export function tokenizerToGguf(folder: Folder): Entries {
  const { tokenizer, vocabularySize, path } = folder;
  if (tokenizer === undefined) return [["tokenizer.ggml.model", text("none")]];
  if (tokenizer.vocabularySize > vocabularySize) {
    throw new UnsupportedError(
      `${path}: the tokenizer has ${tokenizer.vocabularySize} tokens, the embedding ${vocabularySize} rows.`,
    );
  }
  const maker = MAKERS[tokenizer.kind];
  if (maker === undefined) throw new UnsupportedError(`${path}: a ${tokenizer.kind} tokenizer cannot be converted.`);
  const ids = Array.from({ length: vocabularySize }, (_, id) => id);
  const isThere = (id: number): boolean => id < tokenizer.vocabularySize && !isHole(tokenizer, id);
  const { unknown } = tokenizer.specials;
  const typeOf = (id: number): number => typeNumber(id === unknown ? "unknown" : tokenizer.tokenClass(id));
  const spell = SPELLINGS[tokenizer.kind] ?? ((spelling) => spelling);
  const spellingOf = (id: number): string => spell(tokenizer.tokenText(id), tokenTypes[typeOf(id)]);
  return [
    ...maker(folder, tokenizer),
    ["tokenizer.ggml.tokens", texts(ids.map((id) => (isThere(id) ? spellingOf(id) : `[PAD${id}]`)))],
    [
      "tokenizer.ggml.token_type",
      integers(Int32Array.from(ids, (id) => (isThere(id) ? typeOf(id) : typeNumber("unused")))),
    ],
    ...roles(tokenizer),
    ["tokenizer.ggml.add_bos_token", flag(tokenizer.addBos)],
    ["tokenizer.ggml.add_eos_token", flag(tokenizer.addEos)],
  ];
}

/** The last of the numbers: 0 is "undefined". */
const typeNumber = (tokenClass: TokenClass): number => tokenTypes.lastIndexOf(tokenClass);

/** An id between others that stands for no token. */
const isHole = (tokenizer: Tokenizer, id: number): boolean =>
  tokenizer.tokenClass(id) === "unused" && tokenizer.tokenText(id).startsWith("\0");

const ROLES = {
  bos: "bos",
  eos: "eos",
  eot: "eot",
  eom: "eom",
  unknown: "unknown",
  pad: "padding",
  separator: "seperator", // spelled so in the format
  classifier: "cls",
  mask: "mask",
} as const;

/** Ids by role; what no file names is known by standing around a text, or by BERT's own spelling. */
function roles(tokenizer: Tokenizer): Entries {
  const { before, after } = aroundText(tokenizer);
  const { bos = before, eos, separator, mask, pad, ...others } = tokenizer.specials;
  const specials =
    tokenizer.kind === "wordpiece"
      ? {
          ...others,
          bos,
          eos,
          separator: separator ?? after, // [SEP] ends nothing that is written
          // where GGUF says nothing, these have the ids of BERT's first vocabulary
          mask: mask ?? tokenizer.idOf("[MASK]"),
          pad: pad ?? tokenizer.idOf("[PAD]"),
        }
      : { ...others, bos, ...endsOf(tokenizer, after), separator, mask, pad };
  return (Object.keys(ROLES) as (keyof typeof ROLES)[]).flatMap((role): Entries => {
    const id = specials[role];
    return id === undefined ? [] : [[`tokenizer.ggml.${ROLES[role]}_token_id`, count(id)]];
  });
}

/** GGUF puts its end token after a text; where a conversation's end is another, that is said beside it. */
function endsOf({ specials: { eos, eot } }: Tokenizer, after: number | undefined) {
  return after === undefined || eos === undefined || after === eos
    ? { eos: eos ?? after }
    : { eos: after, eot: eot ?? eos };
}

const MAKERS: Readonly<Partial<Record<Tokenizer["kind"], (folder: Folder, tokenizer: Tokenizer) => Entries>>> = {
  "byte-level-bpe": byteLevel,
  "sentencepiece-bpe": sentencePiece,
  wordpiece: ({ path, files }, tokenizer) => wordPieceToGguf(rootOf(path, files), tokenizer),
  unigram: ({ path, files, vocabularySize }) => unigramToGguf(rootOf(path, files), vocabularySize),
};

/** Where GGUF spells tokens in another way. */
const SPELLINGS: Readonly<Partial<Record<Tokenizer["kind"], (spelling: string, tokenClass: TokenClass) => string>>> = {
  wordpiece: wordPieceToGgufSpelling,
};

function byteLevel({ path, files }: Folder): Entries {
  const root = rootOf(path, files);
  const model = root.part("model")!;
  const normalizer = root.part("normalizer");
  if (normalizer !== undefined && normalizer.type !== "NFC") normalizer.unsupported(" in GGUF");
  checkWordEnd(model);
  return [
    ["tokenizer.ggml.model", text("gpt2")],
    ["tokenizer.ggml.pre", text(preTokenizerName(root.part("pre_tokenizer"), model.flag("ignore_merges", false)))],
    ["tokenizer.ggml.merges", texts(mergesOf(model).map(([left, right]) => `${left} ${right}`))],
  ];
}

/** What GGUF's byte-level tokenizers cannot say, for people. */
export function tokenizerNotes({ files }: Pick<Folder, "files">): string[] {
  const normalizer = files.tokenizer?.["normalizer"];
  return (normalizer as { type?: unknown } | null | undefined)?.type === "NFC"
    ? ["The tokenizer's NFC normalisation has no place in GGUF: texts in other normal forms get other tokens there."]
    : [];
}

function sentencePiece({ path, files, vocabularySize }: Folder, tokenizer: Tokenizer): Entries {
  return [
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.pre", text("default")],
    ["tokenizer.ggml.scores", floats(scoresOf(path, files, tokenizer, vocabularySize))],
    ["tokenizer.ggml.add_space_prefix", flag(hasSpacePrefix(path, files))],
  ];
}

/** Scores of the SentencePiece model where there is one; else a piece's score falls with the rank of its merge. */
function scoresOf(
  path: string,
  files: HfTextFiles,
  tokenizer: Tokenizer,
  vocabularySize: number,
): Float32Array<ArrayBuffer> {
  const scores = new Float32Array(vocabularySize);
  const { sentencePiece } = files;
  if (sentencePiece !== undefined && sentencePiece.modelType === "bpe") {
    scores.set(sentencePiece.scores);
    return scores;
  }
  const merges = mergesOf(rootOf(path, files).part("model")!);
  scores.fill(-merges.length - 1); // characters, which nothing merges to
  for (const [rank, [left, right]] of merges.entries()) {
    const id = tokenizer.idOf(left + right);
    if (id !== undefined && scores[id] < -rank) scores[id] = -rank;
  }
  return scores;
}

/**
 * Whether a text gets a blank before it. Throws UnsupportedError for normalisation that GGUF's SentencePiece has not: it
 * writes blanks as "▁", and that is all.
 */
function hasSpacePrefix(path: string, files: HfTextFiles): boolean {
  if (files.tokenizer === undefined) {
    const { addDummyPrefix, removeExtraWhitespaces, charsmap } = files.sentencePiece!.normalizer;
    if (!removeExtraWhitespaces && charsmap.length === 0) return addDummyPrefix;
    throw new UnsupportedError(`${path}/tokenizer.model normalises texts, which GGUF's SentencePiece BPE does not.`);
  }
  const root = rootOf(path, files);
  checkWordEnd(root.part("model")!);
  const normalizer = root.part("normalizer");
  const steps = normalizer?.type === "Sequence" ? normalizer.parts("normalizers") : normalizer ? [normalizer] : [];
  let hasPrefix = false;
  for (const step of steps) {
    const isBlankToMark = step.type === "Replace" && step.text("content") === "▁" && isBlank(step);
    if (step.type === "Prepend" && step.text("prepend") === "▁") hasPrefix = true;
    else if (!isBlankToMark) step.unsupported(" in GGUF");
  }
  const preTokenizer = root.part("pre_tokenizer");
  if (preTokenizer?.type === "Metaspace") return prependScheme(preTokenizer) !== "never";
  // Gemma's cuts at blanks, of which the normalizer has left none
  if (preTokenizer !== undefined && !(preTokenizer.type === "Split" && steps.length > 0 && isBlank(preTokenizer))) {
    preTokenizer.unsupported(" in GGUF");
  }
  return hasPrefix;
}

function isBlank(component: Component): boolean {
  const pattern = component.pattern("pattern");
  return "literal" in pattern && pattern.literal === " ";
}

function checkWordEnd(model: Component): void {
  if ((model.optionalText("end_of_word_suffix") ?? "") !== "") model.unsupported(" with end_of_word_suffix in GGUF");
}

function rootOf(path: string, files: HfTextFiles): Component {
  if (files.tokenizer !== undefined) {
    return new Component(files.tokenizer, "tokenizer", joinPath(path, "tokenizer.json"));
  }
  throw new UnsupportedError(`${path} has no tokenizer.json.`);
}

function mergesOf(model: Component): [string, string][] {
  return model.list("merges").map((merge, rank) => {
    const pair = typeof merge === "string" ? merge.split(" ") : (merge as string[]);
    if (pair.length === 2 && pair.every((part) => !part.includes(" "))) return pair as [string, string];
    return model.fail(`merges[${rank}]`, merge, "two spellings without blanks, which GGUF puts between them");
  });
}
