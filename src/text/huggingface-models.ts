// The models of tokenizer.json (BPE, Unigram, WordPiece): their vocabulary, and the encoder made of it.
import { UnsupportedError } from "../base/errors.ts";
import { BpeEncoder } from "./bpe.ts";
import { ByteSymbols } from "./byte-symbols.ts";
import { mergesOf } from "./merges.ts";
import { byteTokenIds, CharacterSymbols, untouchedBorders } from "./character-symbols.ts";
import { Component } from "./huggingface-json.ts";
import type { PreTokenization } from "./huggingface-pre-tokenizers.ts";
import type { SectionEncoder } from "./section-encoder.ts";
import { sequenceSplit } from "./splits.ts";
import type { TokenizerKind } from "./tokenizer.ts";
import { UNKNOWN_PENALTY, UnigramEncoder } from "./unigram.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WholePieces } from "./whole-pieces.ts";
import { BERT_WORD_LENGTH_MAX, WordPieceEncoder } from "./wordpiece.ts";

export interface ModelContext {
  readonly vocabulary: Vocabulary;
  readonly preTokenization: PreTokenization;
  /** Whether an id is in the model's own vocabulary, not only among the added tokens. */
  readonly inModel: (id: number) => boolean;
}

export interface HuggingFaceModel {
  /** Spellings by id; a hole is undefined. */
  readonly texts: readonly (string | undefined)[];
  readonly unknown: string | undefined;
  readonly hasByteTokens: boolean;
  readonly fusesUnknown: boolean;
  kind(preTokenization: PreTokenization): TokenizerKind;
  encoder(context: ModelContext): SectionEncoder;
}

const MAKERS: Readonly<Record<string, (component: Component) => HuggingFaceModel>> = {
  BPE: bpeModel,
  Unigram: unigramModel,
  WordPiece: wordPieceModel,
};

/** Reads a model component. Throws UnsupportedError for other types and for options that change tokens in other ways. */
export function modelOf(component: Component): HuggingFaceModel {
  // Old files do not name the type; BPE is the one with merges.
  const type = component.optionalText("type") ?? (component.value["merges"] === undefined ? "WordPiece" : "BPE");
  return Component.entry(MAKERS, type)?.(component) ?? component.unsupported();
}

/** The field `vocab`, an object from spelling to id, as spellings by id. */
function textsById(component: Component): (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  const entries = Object.entries(component.object("vocab"));
  for (const [text, id] of entries) {
    texts[component.checkedId(id, `vocab[${JSON.stringify(text)}]`, entries.length)] = text;
  }
  return Array.from(texts);
}

function bpeModel(component: Component): HuggingFaceModel {
  const prefix = component.optionalText("continuing_subword_prefix") ?? "";
  if (prefix !== "") component.unsupported(` with continuing_subword_prefix ${JSON.stringify(prefix)}`);
  const wordEnd = component.optionalText("end_of_word_suffix") ?? "";
  const merges = component.list("merges") as readonly (string | readonly [string, string])[];
  const wrong = merges.findIndex((merge) => typeof merge !== "string" && !isPair(merge));
  if (wrong >= 0) component.fail(`merges[${wrong}]`, merges[wrong], "two spellings");
  const ignoresMerges = component.flag("ignore_merges", false);
  const byteFallback = component.flag("byte_fallback", false);
  const unknown = component.optionalText("unk_token");
  // dropout makes training texts vary; encoding for use has none
  return {
    texts: textsById(component),
    unknown,
    hasByteTokens: byteFallback,
    fusesUnknown: component.flag("fuse_unk", false),
    kind: ({ byteLevel }) => (byteLevel ? "byte-level-bpe" : "sentencepiece-bpe"),
    encoder({ vocabulary, preTokenization, inModel }) {
      const { byteLevel, splits } = preTokenization;
      const unknownId = unknown === undefined ? undefined : vocabulary.idOf(unknown);
      const common = {
        merges: mergesOf(merges, vocabulary, undefined, component.file),
        ...(ignoresMerges ? { whole: new WholePieces(vocabulary, byteLevel) } : {}),
      };
      if (byteLevel) {
        const symbols = new ByteSymbols(vocabulary, { unknown: unknownId, wordEnd });
        return new BpeEncoder({ ...common, split: sequenceSplit(splits), symbols });
      }
      const symbols = new CharacterSymbols(vocabulary, {
        byteIds: byteFallback ? byteTokenIds(vocabulary) : undefined,
        unknown: unknownId,
        accepts: inModel,
        wordEnd,
      });
      // Where a piece as a whole matters, it must not be cut further.
      const cuts = ignoresMerges || wordEnd !== "" ? splits : [...splits, untouchedBorders(vocabulary, inModel)];
      return new BpeEncoder({ ...common, split: sequenceSplit(cuts), symbols });
    },
  };
}

function isPair(merge: unknown): boolean {
  return Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === "string");
}

function unigramModel(component: Component): HuggingFaceModel {
  const entries = component.list("vocab").map((entry, id): readonly [string, number] => {
    const [text, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof text === "string" && typeof score === "number") return [text, score];
    return component.fail(`vocab[${id}]`, entry, "a spelling and its score");
  });
  const unknownId = component.optionalNumber("unk_id");
  if (unknownId !== undefined && entries[unknownId] === undefined) {
    component.fail("unk_id", unknownId, `an id below ${entries.length}`);
  }
  const byteFallback = component.flag("byte_fallback", false);
  const lowest = entries.reduce((least, [, score]) => Math.min(least, score), Infinity);
  return {
    texts: entries.map(([text]) => text),
    unknown: unknownId === undefined ? undefined : entries[unknownId]?.[0],
    hasByteTokens: byteFallback,
    fusesUnknown: true,
    kind: () => "unigram",
    encoder({ vocabulary, preTokenization }) {
      if (preTokenization.byteLevel)
        throw new UnsupportedError(`${component.file}: Unigram over bytes is not supported.`);
      return new UnigramEncoder(vocabulary, {
        split: sequenceSplit(preTokenization.splits),
        // a control token's spelling in a text is text, whatever score the vocabulary gives it
        pieces: vocabulary.idsOf("normal", "user-defined").filter((id) => id < entries.length && id !== unknownId),
        scoreOf: (id) => entries[id][1],
        unknownScore: lowest - UNKNOWN_PENALTY,
        unknown: unknownId,
        byteIds: byteFallback ? byteTokenIds(vocabulary) : undefined,
        singlePrecision: false,
      });
    },
  };
}

function wordPieceModel(component: Component): HuggingFaceModel {
  const unknown = component.text("unk_token");
  const continuingPrefix = component.text("continuing_subword_prefix");
  const wordLengthMax = component.number("max_input_chars_per_word", BERT_WORD_LENGTH_MAX);
  return {
    texts: textsById(component),
    unknown,
    hasByteTokens: false,
    fusesUnknown: false,
    kind: () => "wordpiece",
    encoder({ vocabulary, preTokenization }) {
      const unknownId = vocabulary.idOf(unknown) ?? component.fail("unk_token", unknown, "a token of the vocabulary");
      const split = sequenceSplit(preTokenization.splits);
      return new WordPieceEncoder(vocabulary, {
        split,
        firstPrefix: "",
        continuingPrefix,
        unknown: unknownId,
        wordLengthMax,
      });
    },
  };
}
