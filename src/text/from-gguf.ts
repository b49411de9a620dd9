// A Tokenizer from GGUF metadata (`tokenizer.ggml.*`), with llama.cpp's rules where the file leaves something open:
// default ids, which tokens count as control tokens, spaces after special tokens.
import { FormatError, UnsupportedError } from "../base/errors.ts";
import type { TextList, Texts } from "../base/text-list.ts";
import type { AddedToken } from "./added-tokens.ts";
import { assembleTokenizer, type TokenizerParts } from "./assemble.ts";
import { BpeEncoder } from "./bpe.ts";
import { ByteSymbols } from "./byte-symbols.ts";
import { mergesOf } from "./merges.ts";
import { byteTokenIds, CharacterSymbols, isPiece, mergesByScore, untouchedBorders } from "./character-symbols.ts";
import { Charsmap } from "./charsmap.ts";
import { byteLevelRules, sentencePieceRules } from "./detokenizer.ts";
import { MetadataReader, type Metadata } from "./metadata.ts";
import { preTokenizerOf, splitOfPreTokenizer } from "./pre-tokenizers.ts";
import { sentencePieceNormalizer } from "./sentencepiece-normalizer.ts";
import { findSpecials, type GivenSpecials } from "./special-tokens.ts";
import { noSplit } from "./splits.ts";
import type { SpecialTokens, TokenClass, Tokenizer } from "./tokenizer.ts";
import { lowestScore, UNKNOWN_PENALTY, UnigramEncoder } from "./unigram.ts";
import { Vocabulary } from "./vocabulary.ts";
import { WholePieces } from "./whole-pieces.ts";
import { BERT_WORD_LENGTH_MAX, bertNormalize, bertSplit, WordPieceEncoder, wordPieceRules } from "./wordpiece.ts";

const PREFIX = "tokenizer.ggml.";

/** GGUF's `token_type` numbers; 0 is "undefined" and others do not occur. */
const CLASS_OF_TYPE: readonly TokenClass[] = [
  "unused",
  "normal",
  "unknown",
  "control",
  "user-defined",
  "unused",
  "byte",
];

/** What a maker of one vocabulary model gets. */
interface Context {
  readonly metadata: MetadataReader;
  readonly vocabulary: Vocabulary;
  readonly file: string;
}
type Made = Omit<TokenizerParts, "vocabulary" | "specials" | "added"> & { readonly specials: SpecialTokens };

const MODELS: Readonly<Record<string, (context: Context) => Made>> = {
  gpt2: makeByteLevel,
  llama: makeSentencePiece,
  bert: makeWordPiece,
  t5: makeUnigram,
};

/**
 * The tokenizer that a GGUF file's metadata describes; `file` is named in errors. Throws FormatError for fields that
 * contradict each other, UnsupportedError for a vocabulary model or pre-tokenizer that Liang does not know.
 */
export function tokenizerFromGguf(metadata: Metadata, file = "GGUF"): Tokenizer {
  const reader = new MetadataReader(metadata, file);
  const model = reader.require(`${PREFIX}model`, reader.text(`${PREFIX}model`));
  const make = MODELS[model];
  if (make === undefined) {
    throw new UnsupportedError(`${file}: the tokenizer model ${JSON.stringify(model)} is not supported.`, {
      hint: `Known: ${Object.keys(MODELS).join(", ")}.`,
    });
  }
  const texts = reader.require(`${PREFIX}tokens`, reader.textList(`${PREFIX}tokens`));
  const types = reader.numbers(`${PREFIX}token_type`, texts.length);
  const classes = types && Array.from({ length: texts.length }, (_, id) => classOfType(types[id], id, file));
  const vocabulary = new Vocabulary(withoutEmpty(texts), classes, file);
  const made = make({ metadata: reader, vocabulary, file });
  return assembleTokenizer({ ...made, vocabulary, added: addedTokens(vocabulary, reader.text("general.name") ?? "") });
}

/** Spellings that differ, as llama.cpp has them. */
function withoutEmpty(texts: TextList): Texts {
  const isEmpty = (id: number): boolean => texts.starts[id] === texts.starts[id + 1];
  for (let id = 0; id < texts.length; id++) {
    if (isEmpty(id)) return texts.toArray().map((text, i) => (text === "" ? `[EMPTY_${i}]` : text));
  }
  return texts;
}

function classOfType(type: number, id: number, file: string): TokenClass {
  const tokenClass = CLASS_OF_TYPE[type];
  if (tokenClass === undefined) throw new FormatError(file, `${PREFIX}token_type[${id}]`, type, "0 to 6");
  return tokenClass;
}

function addedTokens(vocabulary: Vocabulary, modelName: string): AddedToken[] {
  // Phi-3's tokens swallow the white space after them; the file has no field for that, so llama.cpp goes by the name.
  const stripsRight = /phi-?3/i.test(modelName) ? (text: string) => !PHI3_KEEPS_SPACE.has(text) : () => false;
  return vocabulary.idsOf("control", "unknown", "user-defined").map((id) => ({
    id,
    text: vocabulary.text(id),
    special: vocabulary.classOf(id) !== "user-defined",
    stripRight: stripsRight(vocabulary.text(id)),
  }));
}
const PHI3_KEEPS_SPACE = new Set(["<unk>", "<s>", "<|endoftext|>"]);

function specialIds(metadata: MetadataReader, defaults: GivenSpecials): GivenSpecials {
  const id = (name: string) => metadata.integer(`${PREFIX}${name}_token_id`);
  return {
    bos: id("bos") ?? defaults.bos,
    eos: id("eos") ?? defaults.eos,
    eot: id("eot"),
    eom: id("eom"),
    unknown: id("unknown") ?? defaults.unknown,
    pad: id("padding") ?? defaults.pad,
    separator: id("seperator") ?? defaults.separator, // spelled so in the format
    classifier: id("cls") ?? defaults.classifier,
    mask: id("mask") ?? defaults.mask,
    fillPad: id("fim_pad"),
    fillRepository: id("fim_rep"),
    fillFile: id("fim_sep"),
  };
}

/** BOS and EOS ids that are added, from the file's flags. */
function surroundings(
  { metadata, file }: Context,
  specials: SpecialTokens,
  defaults: { readonly bos: boolean; readonly eos: boolean },
): { before: number[]; after: number[] } {
  const ids = (flag: string, role: "bos" | "eos", byDefault: boolean) => {
    const stated = metadata.flag(`${PREFIX}${flag}`);
    if (!(stated ?? byDefault)) return [];
    const id = specials[role];
    if (id !== undefined) return [id];
    if (stated === undefined) return [];
    throw new FormatError(file, `${PREFIX}${role}_token_id`, undefined, `an id, since ${flag} is true`);
  };
  return { before: ids("add_bos_token", "bos", defaults.bos), after: ids("add_eos_token", "eos", defaults.eos) };
}

function makeByteLevel(context: Context): Made {
  const { metadata, vocabulary, file } = context;
  const preTokenizer = preTokenizerOf(metadata.text(`${PREFIX}pre`) ?? "default");
  const merges = metadata.require(`${PREFIX}merges`, metadata.textList(`${PREFIX}merges`));
  const specials = findSpecials(vocabulary, specialIds(metadata, {}));
  const split = splitOfPreTokenizer(preTokenizer); // here, so that an unknown one is refused at once
  return {
    kind: "byte-level-bpe",
    specials,
    encoder: () => {
      const extra: string[] = [];
      return new BpeEncoder({
        split,
        merges: mergesOf(merges, vocabulary, extra, file),
        symbols: new ByteSymbols(vocabulary, { extra, unknown: specials.unknown }),
        ...(preTokenizer.ignoreMerges ? { whole: new WholePieces(vocabulary, true) } : {}),
      });
    },
    rules: byteLevelRules,
    ...surroundings(context, specials, { bos: preTokenizer.addBos ?? false, eos: false }),
  };
}

function makeSentencePiece(context: Context): Made {
  const { metadata, vocabulary } = context;
  const specials = findSpecials(vocabulary, specialIds(metadata, { bos: 1, eos: 2, unknown: 0 }));
  const scores = metadata.require(`${PREFIX}scores`, metadata.numbers(`${PREFIX}scores`, vocabulary.size));
  const spacePrefix = metadata.flag(`${PREFIX}add_space_prefix`) ?? true;
  const byteIds = byteTokenIds(vocabulary);
  const accepts = isPiece(vocabulary);
  return {
    kind: "sentencepiece-bpe",
    specials,
    // Every section gets the prefix, so also the text after a special token, as llama.cpp has it.
    normalize: (section) => (spacePrefix ? `▁${section}` : section).replaceAll(" ", "▁"),
    encoder: () =>
      new BpeEncoder({
        split: untouchedBorders(vocabulary, accepts),
        symbols: new CharacterSymbols(vocabulary, { byteIds, unknown: specials.unknown, accepts }),
        merges: mergesByScore(vocabulary, scores, accepts),
      }),
    ...(byteIds === undefined ? { fusedUnknown: specials.unknown } : {}),
    rules: sentencePieceRules(spacePrefix ? "one" : "none"),
    ...surroundings(context, specials, { bos: true, eos: false }),
  };
}

function makeWordPiece(context: Context): Made {
  const { metadata, vocabulary, file } = context;
  const given = specialIds(metadata, { unknown: 100, separator: 102, pad: 0, mask: 103 });
  const specials = findSpecials(vocabulary, { ...given, bos: given.bos ?? given.classifier ?? 101 });
  const { bos, separator } = specials;
  const unknown = metadata.require(`${PREFIX}unknown_token_id`, specials.unknown);
  const lowercase = metadata.flag(`${PREFIX}normalizer.lowercase`) ?? true;
  const stripAccents = metadata.flag(`${PREFIX}normalizer.strip_accents`) ?? lowercase;
  if (bos === undefined || separator === undefined) {
    throw new FormatError(file, `${PREFIX}cls_token_id and seperator_token_id`, [bos, separator], "two ids");
  }
  return {
    kind: "wordpiece",
    specials,
    normalize: (section) => bertNormalize(section, { cleanText: true, spaceChinese: true, stripAccents, lowercase }),
    encoder: () =>
      new WordPieceEncoder(vocabulary, {
        split: bertSplit,
        firstPrefix: "▁",
        continuingPrefix: "",
        unknown,
        wordLengthMax: BERT_WORD_LENGTH_MAX,
      }),
    rules: wordPieceRules("▁", "", true),
    before: [bos],
    after: [separator],
  };
}

function makeUnigram(context: Context): Made {
  const { metadata, vocabulary, file } = context;
  const specials = findSpecials(vocabulary, specialIds(metadata, { eos: 1, unknown: 2, pad: 0 }));
  const scores = metadata.require(`${PREFIX}scores`, metadata.numbers(`${PREFIX}scores`, vocabulary.size));
  const charsmap = metadata.numbers(`${PREFIX}precompiled_charsmap`, 0);
  const spacePrefix = metadata.flag(`${PREFIX}add_space_prefix`) ?? false;
  const userDefined = new Set(vocabulary.idsOf("user-defined"));
  return {
    kind: "unigram",
    specials,
    normalize: sentencePieceNormalizer({
      charsmap: charsmap && charsmap.length > 0 ? new Charsmap(Uint8Array.from(charsmap), file) : undefined,
      addDummyPrefix: spacePrefix,
      removeExtraWhitespaces: metadata.flag(`${PREFIX}remove_extra_whitespaces`) ?? false,
      escapeWhitespaces: true,
      untouched: [...userDefined].map((id) => vocabulary.text(id)),
    }),
    encoder: () =>
      new UnigramEncoder(vocabulary, {
        split: noSplit,
        pieces: vocabulary.idsOf("normal", "user-defined"),
        scoreOf: (id) => (userDefined.has(id) ? 0 : scores[id]),
        unknownScore: lowestScore(vocabulary, scores) - UNKNOWN_PENALTY,
        unknown: specials.unknown,
        byteIds: undefined,
        singlePrecision: false,
      }),
    fusedUnknown: specials.unknown,
    rules: sentencePieceRules(spacePrefix ? "one" : "none"),
    ...surroundings(context, specials, { bos: false, eos: true }),
  };
}
