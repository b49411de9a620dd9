// What a run learns from, as the loop sees it: batches of token stores, handed out by the step. Not here: how documents
// become tokens and lie in batches (data/).
import { createHash } from "node:crypto";
import { type Batches, type PackedBatch, createBatches } from "./data/batches.ts";
import type { TokenStore } from "./data/token-store.ts";
import type { ElementValidation } from "../store/run-lines.ts";
import type { Recipe } from "./recipe.ts";
import type { Executor } from "../device/executor.ts";
import type { MicroBatch, MicroBatches } from "./micro-batch.ts";
import type { Trainer } from "./trainer.ts";

/** The model as it is now: what it says of batches and to prompts, and its weights. */
export type CurrentModel = Pick<Trainer, "rows" | "draw" | "states">;

/** What data may ask before the first step. */
export interface Beginning {
  /** With the weights that the run starts from, whether it goes on or not. */
  readonly trainer: CurrentModel;
  readonly executor: Executor;
  /** A folder of the run for what is asked once; it may have that of an earlier start of the same run. */
  readonly folder: string;
  /** Whether the run goes on: only then is what lies in the folder its own. */
  readonly isResumed: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface TrainingData {
  /** SHA-256 of all that the batches depend on besides step and recipe; in hexadecimal. */
  readonly hash: string;
  /** Micro-batches that hold all documents once. */
  readonly batchesOfEpoch: number;
  /** Called once before the first batch that is learnt; until then what others say of batches is zeros. */
  begin?(beginning: Beginning): Promise<void>;
  /**
   * The micro-batches of each of a step's updates, most often one: a pure function of the step, from 0 on, and of the model
   * as the step finds it, so that a run goes on at any step. The model is asked before the second update at the latest.
   */
  updates(step: number, model: CurrentModel): Iterable<MicroBatches> | AsyncIterable<MicroBatches>;
  /** What the step whose batches were made last is made of, to be looked at beside what the objective measures. */
  measures?(): Readonly<Record<string, number>>;
  /** Whether any documents are held out. */
  readonly hasValidation: boolean;
  /** Of documents that are never learnt, in the same order every time. */
  validation(model: CurrentModel): MicroBatches;
  /** Instead of `validation`, where what is held out is no batch with a loss: what was found of the model. */
  judged?(model: CurrentModel): Promise<ElementValidation>;
  /** Whether losses are nats of the tokens of texts, so that perplexity and bits a byte say something. */
  readonly inNats: boolean;
  /** UTF-8 bytes that the targets of `validation` spell; undefined where they are no text of their own. */
  readonly validationBytes: number | undefined;
}

/** Data whose batches need no model, and that makes one update a step. */
export interface TextData extends TrainingData {
  batches(step: number): readonly MicroBatch[];
  validation(): Iterable<MicroBatch>;
}

/** A split of the data: its tokens, and the SHA-256 of the file that they are in. */
export interface DataSplit {
  readonly store: TokenStore;
  readonly sha256: string;
}

/** Texts whose tokens are learnt. Throws UsageError where there is nothing to learn. */
export function trainingData(
  train: DataSplit,
  held: DataSplit | undefined,
  { batch: { window, rows, tokens }, seed }: Pick<Recipe, "batch" | "seed">,
  validationBytes?: number,
): TextData {
  const batches = createBatches(train.store, { rows, window, seed });
  const heldBatches: Pick<Batches, "once"> | undefined =
    held === undefined ? undefined : createBatches(held.store, { rows, window });
  const ofStep = tokens / rows;
  const batchesOf = (step: number): readonly MicroBatch[] =>
    Array.from({ length: ofStep }, (_, i) => microBatch(batches.at(step * ofStep + i)));
  return {
    hash: createHash("sha256").update(`${train.sha256} ${held?.sha256}`).digest("hex"),
    batchesOfEpoch: batches.report.batchesOfEpoch,
    batches: batchesOf,
    updates: (step) => [batchesOf(step)],
    hasValidation: held !== undefined,
    inNats: true,
    *validation() {
      for (const packed of heldBatches?.once() ?? []) yield microBatch(packed);
    },
    validationBytes,
  };
}

/** Only rows with a target reach the head. */
function microBatch({ ids, positions, starts, targets, weights }: PackedBatch): MicroBatch {
  const outputRows = Int32Array.from(weights.keys()).filter((row) => weights[row] > 0);
  return {
    ids,
    positions,
    starts,
    outputRows,
    targets: outputRows.map((row) => targets[row]),
    weights: Float32Array.from(outputRows, (row) => weights[row]),
  };
}
