// What a run learns from, as the loop sees it: batches of token stores, handed out by the step. Not here: how documents
// become tokens and lie in batches (data/).
import { createHash } from "node:crypto";
import { type Batches, type PackedBatch, createBatches } from "./data/batches.ts";
import type { TokenStore } from "./data/token-store.ts";
import type { Recipe } from "./recipe.ts";
import type { MicroBatch } from "./trainer.ts";

export interface TrainingData {
  /** SHA-256 of all that the batches depend on besides step and recipe; in hexadecimal. */
  readonly hash: string;
  /** Micro-batches that hold all documents once. */
  readonly batchesOfEpoch: number;
  /** A step's micro-batches: a pure function of the step, from 0 on, so that a run goes on anywhere. */
  batches(step: number): readonly MicroBatch[];
  /** Whether any documents are held out. */
  readonly hasValidation: boolean;
  /** Of documents that are never learnt, in the same order every time. */
  validation(): Iterable<MicroBatch>;
  /** UTF-8 bytes that the targets of `validation` spell; undefined where they are no text of their own. */
  readonly validationBytes: number | undefined;
}

/** A split of the data: its tokens, and the SHA-256 of the file that they are in. */
export interface DataSplit {
  readonly store: TokenStore;
  readonly sha256: string;
}

/** Throws UsageError where there is nothing to learn. */
export function trainingData(
  train: DataSplit,
  held: DataSplit | undefined,
  { batch: { window, rows, tokens }, seed }: Pick<Recipe, "batch" | "seed">,
  validationBytes?: number,
): TrainingData {
  const batches = createBatches(train.store, { rows, window, seed });
  const heldBatches: Pick<Batches, "once"> | undefined =
    held === undefined ? undefined : createBatches(held.store, { rows, window });
  const ofStep = tokens / rows;
  return {
    hash: createHash("sha256").update(`${train.sha256} ${held?.sha256}`).digest("hex"),
    batchesOfEpoch: batches.report.batchesOfEpoch,
    batches: (step) => Array.from({ length: ofStep }, (_, i) => microBatch(batches.at(step * ofStep + i))),
    hasValidation: held !== undefined,
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
