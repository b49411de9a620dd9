// A Tokenizer from a SentencePiece model (`tokenizer.model`), BPE or unigram. Between special tokens the text is tokenised
// as the SentencePiece library does, the dummy prefix included.
import { UnsupportedError } from "../base/errors.ts";
import { AddedTokens, AddedTokensEncoder } from "./added-tokens.ts";
import { assembleTokenizer } from "./assemble.ts";
import { BpeEncoder } from "./bpe.ts";
import {
  byteTokenIds,
  CharacterSymbols,
  type Fallback,
  isPiece,
  mergesByScore,
  untouchedBorders,
} from "./character-symbols.ts";
import { Charsmap } from "./charsmap.ts";
import { sentencePieceRules } from "./detokenizer.ts";
import { sentencePieceNormalizer } from "./sentencepiece-normalizer.ts";
import type { SectionEncoder } from "./section-encoder.ts";
import { findSpecials } from "./special-tokens.ts";
import { noSplit } from "./splits.ts";
import type { TokenClass, Tokenizer } from "./tokenizer.ts";
import { lowestScore, UNKNOWN_PENALTY, UnigramEncoder } from "./unigram.ts";
import { Vocabulary } from "./vocabulary.ts";

/** What a parsed model file holds. */
export interface SentencePieceFile {
  readonly pieces: readonly string[];
  readonly scores: ArrayLike<number>;
  readonly types: readonly ("normal" | "unknown" | "control" | "user_defined" | "unused" | "byte")[];
  readonly modelType: "unigram" | "bpe" | "word" | "char";
  readonly byteFallback: boolean;
  /** -1: none. */
  readonly ids: { readonly unk: number; readonly bos: number; readonly eos: number; readonly pad: number };
  readonly normalizer: {
    readonly charsmap: Uint8Array;
    readonly addDummyPrefix: boolean;
    readonly removeExtraWhitespaces: boolean;
    readonly escapeWhitespaces: boolean;
  };
}

export interface SentencePieceOptions {
  /** What the model wants around a text; a model file does not say. Default: BOS and no EOS, as Llama. */
  readonly addBos?: boolean;
  readonly addEos?: boolean;
  /** Control tokens that no file has: their ids follow the pieces'. */
  readonly more?: readonly string[];
  /** What is put before a text instead of BOS, by spelling. */
  readonly before?: readonly string[];
  /** Ends a turn, and what else ends a reply. */
  readonly eot?: string;
  readonly ends?: readonly string[];
}

/** Throws UnsupportedError for the model types word and char. `file` is named in errors. */
export function tokenizerFromSentencePiece(
  model: SentencePieceFile,
  options: SentencePieceOptions = {},
  file = "tokenizer.model",
): Tokenizer {
  const { addBos = true, addEos = false, more = [], before, eot, ends = [] } = options;
  const types = model.types.map((type): TokenClass => (type === "user_defined" ? "user-defined" : type));
  const classes = [...types, ...more.map((): TokenClass => "control")];
  const vocabulary = new Vocabulary([...model.pieces, ...more], classes, file);
  const { bos, eos, unk, pad } = model.ids;
  const found = findSpecials(
    vocabulary,
    {
      bos: idIfAny(bos),
      eos: idIfAny(eos),
      unknown: idIfAny(unk),
      pad: idIfAny(pad),
      eot: eot === undefined ? undefined : vocabulary.idOf(eot),
    },
    (token) => vocabulary.classOf(token) !== "normal",
  );
  const ending = ends.map((text) => vocabulary.idOf(text)!);
  const specials = { ...found, endOfGeneration: new Set([...found.endOfGeneration, ...ending]) };
  const encoderOf = ENCODERS[model.modelType];
  if (encoderOf === undefined) {
    throw new UnsupportedError(
      `${file}: SentencePiece's model type ${JSON.stringify(model.modelType)} is not supported.`,
    );
  }
  const { charsmap, ...normalization } = model.normalizer;
  const userDefined = vocabulary.idsOf("user-defined");
  const first = before?.map((text) => vocabulary.idOf(text)!);
  return assembleTokenizer({
    kind: model.modelType === "bpe" ? "sentencepiece-bpe" : "unigram",
    vocabulary,
    specials,
    // User-defined pieces are found by the encoder: they do not part a text as control tokens do.
    added: vocabulary
      .idsOf("control", "unknown")
      .map((token) => ({ id: token, text: vocabulary.text(token), special: true })),
    normalize: sentencePieceNormalizer({
      ...normalization,
      charsmap: charsmap.length > 0 ? new Charsmap(charsmap, file) : undefined,
      untouched: userDefined.map((token) => vocabulary.text(token)),
    }),
    encoder: () =>
      encoderOf(model, vocabulary, {
        byteIds: model.byteFallback ? byteTokenIds(vocabulary) : undefined,
        unknown: specials.unknown,
      }),
    ...(model.byteFallback ? {} : { fusedUnknown: specials.unknown }),
    rules: {
      ...sentencePieceRules(
        normalization.removeExtraWhitespaces ? "all" : normalization.addDummyPrefix ? "one" : "none",
      ),
      spellsAll: true,
    },
    before: first ?? (addBos && specials.bos !== undefined ? [specials.bos] : []),
    after: addEos && specials.eos !== undefined ? [specials.eos] : [],
  });
}

/** -1 is the file's way to say that there is none. */
function idIfAny(id: number): number | undefined {
  return id >= 0 ? id : undefined;
}

type EncoderOf = (model: SentencePieceFile, vocabulary: Vocabulary, fallback: Fallback) => SectionEncoder;

const ENCODERS: Readonly<Partial<Record<SentencePieceFile["modelType"], EncoderOf>>> = {
  bpe(model, vocabulary, fallback) {
    const [unused] = vocabulary.idsOf("unused");
    if (unused !== undefined) {
      throw new UnsupportedError(
        `Piece ${unused} of the SentencePiece model is of type unused, which BPE would split.`,
      );
    }
    const accepts = isPiece(vocabulary);
    const encoder = new BpeEncoder({
      split: untouchedBorders(vocabulary, accepts),
      merges: mergesByScore(vocabulary, model.scores, accepts),
      symbols: new CharacterSymbols(vocabulary, { ...fallback, accepts }),
    });
    const userDefined = vocabulary
      .idsOf("user-defined")
      .map((id) => ({ id, text: vocabulary.text(id), special: false }));
    return userDefined.length === 0 ? encoder : new AddedTokensEncoder(new AddedTokens(userDefined), encoder);
  },
  unigram(model, vocabulary, fallback) {
    const lowest = lowestScore(vocabulary, model.scores);
    const highest = vocabulary.idsOf("normal").reduce((most, id) => Math.max(most, model.scores[id]), -Infinity);
    return new UnigramEncoder(vocabulary, {
      split: noSplit,
      pieces: vocabulary.idsOf("normal", "user-defined"),
      // A user-defined piece wins over any other cut of its text.
      scoreOf: (id) =>
        vocabulary.classOf(id) === "user-defined" ? utf8Length(vocabulary.text(id)) * highest - 0.1 : model.scores[id],
      unknownScore: Math.fround(lowest - UNKNOWN_PENALTY),
      ...fallback,
      singlePrecision: true,
    });
  },
};

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
