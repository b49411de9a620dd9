// What tokenizer training takes and gives. Not here: how (train-*.ts).
import type { OnProgress } from "../../base/progress.ts";
import type { JsonObject } from "../huggingface-json.ts";
import type { LearnedModel } from "./learned-model.ts";
import type { PieceCounts } from "./piece-counts.ts";
import type { Pipeline } from "./piece-reader.ts";
import type { SpecialOptions, SpecialRoles, Specials } from "./specials.ts";

export const trainingKinds = ["bpe", "unigram", "wordpiece", "characters"] as const;
/**
 * bpe: merges over bytes. unigram: pieces with scores, of characters, with byte fallback. wordpiece: BERT's. characters:
 * one token each, with byte fallback.
 */
export type TrainingKind = (typeof trainingKinds)[number];

export interface TrainTokenizerOptions {
  readonly kind: TrainingKind;
  /** Tokens in all, special ones and the alphabet included. */
  readonly vocabularySize: number;
  readonly specials?: SpecialOptions | undefined;
  /** Merges, pieces and characters that occur less often are left out. Default 2. */
  readonly countMin?: number | undefined;
  /**
   * Share of the texts' characters that the vocabulary spells out: the rarest are left to bytes, or to the unknown token
   * of wordpiece. Default: all characters, as far as half of the vocabulary reaches (characters: all of it). Not for bpe,
   * which knows bytes only.
   */
  readonly coverage?: number | undefined;
  /** bpe: the name of the rule that cuts texts into pieces, as GGUF has it. Default "qwen2". */
  readonly preTokenizer?: string | undefined;
  /** wordpiece: lower case without accents. Default true. */
  readonly lowercase?: boolean | undefined;
  /** Default: as many as the machine runs at once. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The files of a tokenizer in a model folder, and what it was made of. */
export interface TrainedTokenizer {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json */
  readonly tokenizerConfig: JsonObject;
  /** Fewer than asked for where the texts have no more. */
  readonly vocabularySize: number;
  /** UTF-8 bytes read. */
  readonly textBytes: number;
  readonly distinctPieces: number;
}

export const kindOptions = ["coverage", "preTokenizer", "lowercase"] as const;
export type KindOption = (typeof kindOptions)[number];

/** What a kind does with counted pieces. */
export interface TrainerInput {
  readonly pieces: PieceCounts;
  readonly specials: Specials;
  readonly options: TrainTokenizerOptions;
}

/** One kind of tokenizer training. */
export interface KindTrainer {
  /** Options that mean something to this kind; another one of these is refused. */
  readonly takes: readonly KindOption[];
  readonly roles: SpecialRoles;
  pipeline(options: TrainTokenizerOptions): Pipeline;
  /** Throws UsageError where the vocabulary is too small for what it must hold. */
  learn(input: TrainerInput): LearnedModel;
}
