// Unigram between a tokenizer.json and GGUF (llama.cpp's model "t5"): scores, compiled rules of normalisation, white space
// that runs together. One form of white space is known, the one that T5 and XLM-R have: "▁" before every word.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Component } from "../text/huggingface-json.ts";
import { prependScheme } from "../text/huggingface-pre-tokenizers.ts";
import type { MetadataReader } from "../text/metadata.ts";
import { BLANK_MARK } from "../text/tokenizer-json.ts";
import type { TokenClass, Tokenizer } from "../text/tokenizer.ts";
import { flag, floats, text } from "./entries.ts";

const CHARSMAP = "tokenizer.ggml.precompiled_charsmap";
const SCORES = "tokenizer.ggml.scores";
const SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
const NO_EXTRA_SPACES = "tokenizer.ggml.remove_extra_whitespaces";
const BLANKS = " {2,}";
const LAST_BLANK = String.raw` (?!.|\n)`;

const metaspace = { type: "Metaspace", replacement: BLANK_MARK, prepend_scheme: "always", split: true } as const;

/** What GGUF says of a tokenizer.json with Unigram. Throws UnsupportedError for steps that it has no word for. */
export function unigramToGguf(root: Component, vocabularySize: number): [string, GgufEntry][] {
  const model = root.part("model")!;
  if (model.flag("byte_fallback", false)) model.unsupported(" with byte_fallback in GGUF");
  const { charsmap, joinsBlanks } = normalizationOf(root);
  checkPreTokenizer(root, joinsBlanks);
  const scores = new Float32Array(vocabularySize);
  scores.set((model.list("vocab") as [string, number][]).map(([, score]) => score));
  return [
    ["tokenizer.ggml.model", text("t5")],
    ["tokenizer.ggml.pre", text("default")],
    [SCORES, floats(scores)],
    [SPACE_PREFIX, flag(true)],
    [NO_EXTRA_SPACES, flag(true)],
    [CHARSMAP, { type: "array", of: "u8", value: charsmap }],
  ];
}

function normalizationOf(root: Component): { charsmap: Uint8Array<ArrayBuffer>; joinsBlanks: boolean } {
  const normalizer = root.part("normalizer") ?? root.unsupported(" without a normalizer in GGUF");
  const steps = normalizer.type === "Sequence" ? normalizer.parts("normalizers") : [normalizer];
  let charsmap: Uint8Array<ArrayBuffer> | undefined;
  let joinsBlanks = false;
  for (const [index, step] of steps.entries()) {
    if (step.type === "Precompiled" && index === 0) charsmap = bytesOf(step.text("precompiled_charsmap"));
    else if (isReplacing(step, BLANKS, " ", BLANK_MARK)) joinsBlanks = true;
    else if (step.type !== "Strip" && !isReplacing(step, LAST_BLANK, "")) step.unsupported(" in GGUF"); // ends have no white space in GGUF either
  }
  return { charsmap: charsmap ?? normalizer.unsupported(" without Precompiled in GGUF"), joinsBlanks };
}

function isReplacing(step: Component, regex: string, ...contents: string[]): boolean {
  if (step.type !== "Replace" || !contents.includes(step.text("content"))) return false;
  const pattern = step.pattern("pattern");
  return "regex" in pattern && pattern.regex === regex;
}

/** Words that white space divides, "▁" before each. */
function checkPreTokenizer(root: Component, joinsBlanks: boolean): void {
  const preTokenizer = root.part("pre_tokenizer") ?? root.unsupported(" without a pre_tokenizer in GGUF");
  const steps = preTokenizer.type === "Sequence" ? preTokenizer.parts("pretokenizers") : [preTokenizer];
  const [first, second = first, ...others] = steps;
  const dividesWords = joinsBlanks || (steps.length === 2 && first.type === "WhitespaceSplit");
  const isKnown = (steps.length === 1 || first.type === "WhitespaceSplit") && others.length === 0;
  if (!isKnown || !dividesWords || second.type !== "Metaspace" || prependScheme(second) !== "always") {
    preTokenizer.unsupported(" for Unigram in GGUF");
  }
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function base64Of(bytes: ArrayLike<number>): string {
  let characters = "";
  for (let i = 0; i < bytes.length; i++) characters += String.fromCharCode(bytes[i] & 255); // signed in some files
  return btoa(characters);
}

/**
 * The parts of a tokenizer.json; ids at the end that no token has are left out.
 * Throws UnsupportedError for another normalisation than T5's and XLM-R's, and for unused tokens between others.
 */
export function unigramToHf(
  metadata: MetadataReader,
  file: string,
  tokenizer: Tokenizer,
  classes: readonly TokenClass[],
): Readonly<Record<string, unknown>> {
  const charsmap = metadata.numbers(CHARSMAP, 1);
  for (const key of [SPACE_PREFIX, NO_EXTRA_SPACES]) {
    if (metadata.flag(key) === true) continue;
    throw new UnsupportedError(`${file}: Unigram without ${key} cannot be converted.`);
  }
  if (charsmap === undefined) throw new UnsupportedError(`${file}: Unigram without ${CHARSMAP} cannot be converted.`);
  const scores = metadata.require(SCORES, metadata.numbers(SCORES, tokenizer.vocabularySize));
  const used = classes.slice(0, classes.findLastIndex((tokenClass) => tokenClass !== "unused") + 1);
  for (const [id, tokenClass] of used.entries()) {
    if (tokenClass !== "unused" && tokenClass !== "byte") continue;
    throw new UnsupportedError(`${file}: token ${id} is of the class ${tokenClass}, which a folder's Unigram has not.`);
  }
  return {
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Precompiled", precompiled_charsmap: base64Of(charsmap) },
        { type: "Replace", pattern: { Regex: BLANKS }, content: " " },
        { type: "Replace", pattern: { Regex: LAST_BLANK }, content: "" },
      ],
    },
    pre_tokenizer: metaspace,
    decoder: metaspace,
    model: {
      type: "Unigram",
      unk_id: tokenizer.specials.unknown ?? null,
      byte_fallback: false,
      vocab: used.map((tokenClass, id) => [tokenizer.tokenText(id), tokenClass === "normal" ? scores[id] : 0]),
    },
  };
}
