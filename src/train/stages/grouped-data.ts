// Training data whose elements are groups of documents: pairs of answers, queries with their passages. What a group becomes
// in a micro-batch is the stage's matter.
import { createHash } from "node:crypto";
import { UsageError } from "../../base/errors.ts";
import type { Split } from "../data/data-card.ts";
import { type GroupOptions, type Groups, createGroups } from "../data/groups.ts";
import { readings } from "../data/readings.ts";
import type { TokenStore } from "../data/token-store.ts";
import type { MicroBatch } from "../micro-batch.ts";
import type { TextData } from "../training-data.ts";
import type { StageInput } from "./stage.ts";

export interface GroupedSplit extends Groups {
  readonly name: Split;
  readonly store: TokenStore;
}

export interface GroupedOptions extends Pick<GroupOptions, "uses" | "needs" | "perBatch"> {
  readonly reading: "pairs" | "triples";
  batch(split: GroupedSplit, groups: Uint32Array): MicroBatch;
}

export interface GroupedData extends TextData {
  /** The groups of a step's micro-batches. */
  groupsOf(step: number): Uint32Array[];
  /** The training split, and the one that is held out where there is any of use. */
  readonly splits: readonly GroupedSplit[];
  readonly notes: readonly string[];
}

/** Throws UsageError where no group can be learnt, or where the recipe's micro-batch cannot hold what it must. */
export function groupedData({ recipe, train, held }: StageInput, options: GroupedOptions): GroupedData {
  const { window, rows, tokens } = recipe.batch;
  const { reading, perBatch = 1 } = options;
  const notes: string[] = [];
  const { members } = readings[reading];
  const open = (name: Split, store: TokenStore, seed?: number): GroupedSplit => {
    const groups = createGroups(store, { ...options, members, window, rows, ...(seed !== undefined && { seed }) });
    const { tooLong, noUse } = groups;
    if (tooLong > 0)
      notes.push(`${tooLong} ${reading} of ${name} are left out: a text is longer than batch.window, ${window}.`);
    if (noUse > 0)
      notes.push(`${noUse} ${reading} of ${name} are left out: they lack a side that ${recipe.stage} needs.`);
    return { name, store, ...groups };
  };
  const learnt = open("train", train.store, recipe.seed);
  if (learnt.batchesOfEpoch === 0) {
    throw new UsageError(
      [`${recipe.data} has ${learnt.groups.length} ${reading} to learn, expected at least ${perBatch}.`, ...notes].join(
        " ",
      ),
      { field: "data" },
    );
  }
  const validation = held === undefined ? undefined : open("validation", held.store);
  const hasValidation = validation !== undefined && validation.batchesOfEpoch > 0;
  if (validation !== undefined && !hasValidation)
    notes.push(`Too few ${reading} are held out, so nothing is validated.`);
  const ofStep = tokens / rows;
  const groupsOf = (step: number): Uint32Array[] =>
    Array.from({ length: ofStep }, (_, i) => learnt.at(step * ofStep + i));
  const batchesOf = (step: number): MicroBatch[] => groupsOf(step).map((groups) => options.batch(learnt, groups));
  return {
    hash: createHash("sha256").update(`${train.sha256} ${held?.sha256}`).digest("hex"),
    batchesOfEpoch: learnt.batchesOfEpoch,
    groupsOf,
    batches: batchesOf,
    updates: (step) => [batchesOf(step)],
    hasValidation,
    *validation() {
      if (!hasValidation) return;
      for (let i = 0; i < validation.batchesOfEpoch; i++) yield options.batch(validation, validation.at(i));
    },
    inNats: false,
    validationBytes: undefined,
    splits: hasValidation ? [learnt, validation] : [learnt],
    notes,
  };
}
