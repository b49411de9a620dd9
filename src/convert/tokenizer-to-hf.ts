// GGUF's tokenizer metadata as tokenizer.json and tokenizer_config.json: byte-level BPE with its merges, SentencePiece
// BPE with merges made of its scores (as transformers makes them from a SentencePiece model). Others: wordpiece.ts,
// unigram.ts.
import { UnsupportedError } from "../base/errors.ts";
import { MetadataReader } from "../text/metadata.ts";
import { preTokenizerJson } from "../text/pre-tokenizer-json.ts";
import { BLANK_MARK, addedTokenJson, blankToMark, plainBpe, spellingDecoders } from "../text/tokenizer-json.ts";
import { ggufTemplates } from "../text/template-sources.ts";
import type { TokenClass, Tokenizer } from "../text/tokenizer.ts";
import { aroundText, declaredClasses } from "./tokenizer.ts";
import { unigramToHf } from "./unigram.ts";
import { wordPieceToHf, wordPieceToHfSpelling } from "./wordpiece.ts";

type Json = Readonly<Record<string, unknown>>;

/** The tokens with the classes that the file gives them; the tokenizer also makes some control tokens by their spelling. */
interface Tokens {
  readonly tokenizer: Tokenizer;
  readonly metadata: MetadataReader;
  /** Named in errors. */
  readonly file: string;
  readonly classes: readonly TokenClass[];
}

export interface TokenizerJson {
  readonly tokenizer: Json;
  readonly tokenizerConfig: Json;
}

const PREFIX = "tokenizer.ggml.";
/** How llama.cpp's converter fills ids that no token has. */
const FILLER = /^(\[PAD\d+\]|\[EMPTY_\d+\])$/;

/** Throws UnsupportedError for a vocabulary model that no maker is for. */
export function tokenizerToHf(metadata: Json, file: string, tokenizer: Tokenizer, window: number): TokenizerJson {
  const maker = MAKERS[tokenizer.kind];
  if (maker === undefined) throw new UnsupportedError(`${file}: a ${tokenizer.kind} tokenizer cannot be converted.`);
  const tokens: Tokens = {
    tokenizer,
    metadata: new MetadataReader(metadata, file),
    file,
    classes: declaredClasses(metadata, tokenizer),
  };
  const { specials, addBos, addEos } = tokenizer;
  const spell = tokenizer.kind === "wordpiece" ? wordPieceToHfSpelling : asItIs;
  const textOf = (id: number | undefined): string | null =>
    id === undefined ? null : spell(tokenizer.tokenText(id), tokens.classes[id]);
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens),
      ...maker(tokens),
      post_processor: postProcessor(tokenizer),
    },
    tokenizerConfig: {
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: textOf(specials.bos),
      eos_token: textOf(specials.eos),
      unk_token: textOf(specials.unknown),
      pad_token: textOf(specials.pad),
      ...(specials.separator !== undefined && { sep_token: textOf(specials.separator) }),
      ...(specials.classifier !== undefined && { cls_token: textOf(specials.classifier) }),
      ...(specials.mask !== undefined && { mask_token: textOf(specials.mask) }),
      add_bos_token: addBos,
      add_eos_token: addEos,
      clean_up_tokenization_spaces: false,
      model_max_length: window,
      ...chatTemplate(metadata, file),
    },
  };
}

function addedTokens(tokens: Tokens): Json[] {
  return idsOf(tokens, "control", "unknown", "user-defined").map((id) =>
    addedTokenJson(id, tokens.tokenizer.tokenText(id), tokens.classes[id] !== "user-defined"),
  );
}

const idsOf = ({ classes }: Tokens, ...wanted: TokenClass[]): number[] =>
  [...classes.keys()].filter((id) => wanted.includes(classes[id]));

/**
 * What stands around a text, and around each of a pair: of those that encoders read, BERT's has nothing more before the
 * second, RoBERTa's and XLM-R's end the first text twice.
 */
function postProcessor(tokenizer: Tokenizer): Json {
  const { before: first, after: last } = aroundText(tokenizer);
  const around = [first, last];
  const [before, after] = around.map((id) => (id === undefined ? [] : [tokenizer.tokenText(id)]));
  const one = (name: string, type_id: number, opening = before): Json[] => [
    ...opening.map((id) => ({ SpecialToken: { id, type_id } })),
    { Sequence: { id: name, type_id } },
    ...after.map((id) => ({ SpecialToken: { id, type_id } })),
  ];
  const isBert = tokenizer.kind === "wordpiece";
  const isEncoders = tokenizer.kind === "unigram" || (last !== undefined && tokenizer.specials.separator === last);
  const endsTwice = !isBert && isEncoders && first !== undefined && last !== undefined;
  const added = [...new Set(around)].filter((id) => id !== undefined);
  return {
    type: "TemplateProcessing",
    single: one("A", 0),
    pair: [...one("A", 0), ...(endsTwice ? one("B", 0, after) : one("B", 1, isBert ? [] : before))],
    special_tokens: Object.fromEntries(
      added.map((id) => {
        const text = tokenizer.tokenText(id);
        return [text, { id: text, ids: [id], tokens: [text] }];
      }),
    ),
  };
}

const MAKERS: Readonly<Partial<Record<Tokenizer["kind"], (tokens: Tokens) => Json>>> = {
  "byte-level-bpe": byteLevel,
  "sentencepiece-bpe": sentencePiece,
  unigram: ({ metadata, file, tokenizer, classes }) => unigramToHf(metadata, file, tokenizer, classes),
  wordpiece: (tokens) =>
    wordPieceToHf(tokens.metadata, tokens.tokenizer, vocabulary(tokens, wordPieceToHfSpelling, ...ALL)),
};

const ALL: readonly TokenClass[] = ["normal", "byte", "unused", "unknown", "control", "user-defined"];
const asItIs = (spelling: string): string => spelling;

function byteLevel(tokens: Tokens): Json {
  const { metadata } = tokens;
  const merges = metadata.require(`${PREFIX}merges`, metadata.texts(`${PREFIX}merges`));
  const { component, ignoreMerges } = preTokenizerJson(metadata.text(`${PREFIX}pre`) ?? "default");
  return {
    normalizer: null,
    pre_tokenizer: component,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      ...plainBpe,
      ignore_merges: ignoreMerges,
      vocab: vocabulary(tokens, asItIs, "normal", "byte", "unused"),
      merges: merges.map((pair) => pair.split(" ")),
    },
  };
}

function vocabulary(
  tokens: Tokens,
  spell: (spelling: string, tokenClass: TokenClass) => string,
  ...wanted: TokenClass[]
): Json {
  const { classes } = tokens;
  const named = idsOf(tokens, ...wanted).map((id) => [tokens.tokenizer.tokenText(id), id] as const);
  const kept = named.filter(([text, id]) => classes[id] !== "unused" || !FILLER.test(text));
  return Object.fromEntries(kept.map(([text, id]) => [spell(text, classes[id]), id]));
}

function sentencePiece(tokens: Tokens): Json {
  const { metadata, tokenizer } = tokens;
  const scores = metadata.require(`${PREFIX}scores`, metadata.numbers(`${PREFIX}scores`, tokenizer.vocabularySize));
  const hasPrefix = metadata.flag(`${PREFIX}add_space_prefix`) ?? true;
  const { unknown } = tokenizer.specials;
  return {
    normalizer: hasPrefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: BLANK_MARK }, blankToMark] }
      : blankToMark,
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: hasPrefix
        ? [...spellingDecoders, { type: "Strip", content: " ", start: 1, stop: 0 }]
        : spellingDecoders,
    },
    model: {
      ...plainBpe,
      unk_token: unknown === undefined ? null : tokenizer.tokenText(unknown),
      fuse_unk: true,
      byte_fallback: idsOf(tokens, "byte").length > 0,
      vocab: vocabulary(tokens, asItIs, ...ALL),
      merges: mergesByScore(tokens, scores),
    },
  };
}

/** Every way to make a piece of two others; the best-scored pieces first, of one piece in the order of its parts' ids. */
function mergesByScore(tokens: Tokens, scores: ArrayLike<number>): [string, string][] {
  const { tokenizer } = tokens;
  const normal = idsOf(tokens, "normal");
  const ids = new Map(normal.map((id) => [tokenizer.tokenText(id), id]));
  const merges: { readonly score: number; readonly left: number; readonly right: number }[] = [];
  for (const [piece, id] of ids) {
    for (let at = firstLength(piece, 0); at < piece.length; at += firstLength(piece, at)) {
      const left = ids.get(piece.slice(0, at));
      const right = ids.get(piece.slice(at));
      if (left !== undefined && right !== undefined) merges.push({ score: scores[id], left, right });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right);
  return merges.map(({ left, right }) => [tokenizer.tokenText(left), tokenizer.tokenText(right)]);
}

/** Units of the character at `at`. */
const firstLength = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1);

function chatTemplate(metadata: Json, file: string): Json {
  const { main, named } = ggufTemplates(metadata, file);
  const others = Object.entries(named).map(([name, template]) => ({ name, template }));
  if (others.length === 0) return main === undefined ? {} : { chat_template: main };
  const all = main === undefined ? others : [{ name: "default", template: main }, ...others];
  return { chat_template: all };
}
