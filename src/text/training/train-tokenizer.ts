// Trains a tokenizer: count the pieces of all texts, learn a vocabulary from the counts, write it down as tokenizer.json
// has it. Not here: files that are written (the caller's), what each kind learns (train-*.ts).
import { UsageError } from "../../base/errors.ts";
import { countPieces, type TrainingTexts } from "./count-pieces.ts";
import { addedTokensJson, postProcessorJson, specialsOf, tokenizerConfigJson } from "./specials.ts";
import { trainBpe } from "./train-bpe.ts";
import { trainCharacters } from "./train-characters.ts";
import { trainUnigram } from "./train-unigram.ts";
import { trainWordPiece } from "./train-wordpiece.ts";
import {
  kindOptions,
  type KindTrainer,
  type TrainedTokenizer,
  type TrainingKind,
  type TrainTokenizerOptions,
} from "./types.ts";

const KINDS: Readonly<Record<TrainingKind, KindTrainer>> = {
  bpe: trainBpe,
  unigram: trainUnigram,
  wordpiece: trainWordPiece,
  characters: trainCharacters,
};

/** Largest vocabularies in use have a quarter of a million tokens. */
const VOCABULARY_MAX = 1 << 20;

/**
 * Throws UsageError for options that do not fit the kind or the texts, NotFoundError and FormatError for files that are
 * not there or no text.
 */
export async function trainTokenizer(source: TrainingTexts, options: TrainTokenizerOptions): Promise<TrainedTokenizer> {
  const { kind, vocabularySize, coverage = 1, countMin = 2 } = options;
  checkRange("vocab", vocabularySize, Number.isInteger(vocabularySize), 1, VOCABULARY_MAX);
  checkRange("coverage", coverage, true, 0, 1);
  checkRange("countMin", countMin, Number.isInteger(countMin), 1, Infinity);
  const trainer = KINDS[kind];
  for (const name of kindOptions) {
    if (options[name] === undefined || trainer.takes.includes(name)) continue;
    throw new UsageError(`The option ${name} is not one of ${kind}, which takes ${trainer.takes.join(" and ")}.`);
  }
  const specials = specialsOf(options.specials ?? {}, trainer.roles);
  const pipeline = trainer.pipeline(options);
  const { pieces, bytes } = await countPieces(source, pipeline, options);
  if (pieces.size === 0) throw new UsageError("The texts are empty: there is nothing to learn from.");
  const { model, decoder, vocabularySize: size } = trainer.learn({ pieces, specials, options });
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: addedTokensJson(specials),
      normalizer: pipeline.normalizer,
      pre_tokenizer: pipeline.preTokenizer,
      post_processor: postProcessorJson(specials),
      decoder,
      model,
    },
    tokenizerConfig: tokenizerConfigJson(specials),
    vocabularySize: size,
    textBytes: bytes,
    distinctPieces: pieces.size,
  };
}

function checkRange(field: string, value: number, isRight: boolean, least: number, most: number): void {
  if (isRight && value >= least && value <= most) return;
  const range = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(
    `${field} is ${value}, expected a ${field === "coverage" ? "share" : "whole number"} ${range}.`,
    {
      field,
    },
  );
}
