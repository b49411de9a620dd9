// Stages that learn from comparisons: `dpo` in its forms, and `reward`. A pair is two sequences, what was asked with the
// better answer and with the worse. Not here: single answers (kto.ts).
import { UsageError } from "../../base/errors.ts";
import { rowsOfDocument } from "../data/groups.ts";
import type { TokenStore } from "../data/token-store.ts";
import { dpo as dpoLoss } from "../objectives/dpo.ts";
import { hinge } from "../objectives/hinge.ts";
import { ipo } from "../objectives/ipo.ts";
import type { Objective } from "../objectives/objective.ts";
import { orpo } from "../objectives/orpo.ts";
import { reward as rewardLoss } from "../objectives/reward.ts";
import { simpo } from "../objectives/simpo.ts";
import { type Sequence, answerSequence, batchOf, idsOf, joined, predicting } from "./group-batch.ts";
import { type GroupedData, type GroupedSplit, groupedData } from "./grouped-data.ts";
import { marked } from "./kto.ts";
import { type Reference, createReference } from "./reference.ts";
import type { Stage, StageInput, StageParts } from "./stage.ts";

const SIDES = [0, 1];

const last = (store: TokenStore, document: number): number[] => [rowsOfDocument(store, document) - 1];

function pairSequences(store: TokenStore, groups: Uint32Array, rowsOf: typeof predicting): Sequence[] {
  return [...groups].flatMap((group, element) =>
    SIDES.map((part) => {
      const document = 2 * group + part;
      return { ids: idsOf(store, document), outputRows: rowsOf(store, document), element, part };
    }),
  );
}

/** Pairs whose objective needs no reference model. */
function plainPairs(input: StageInput, objective: Objective, rowsOf = predicting): StageParts {
  const data = groupedData(input, {
    reading: "pairs",
    uses: SIDES,
    needs: "all",
    batch: ({ store }, groups) => batchOf(pairSequences(store, groups, rowsOf), groups.length),
  });
  return { objective, data, notes: data.notes };
}

/** Pairs with input `reference`: what the model said of both answers before. */
function referencedPairs(input: StageInput, objective: Objective): StageParts {
  const references = new Map<GroupedSplit["name"], Reference>();
  const data: GroupedData = groupedData(input, {
    reading: "pairs",
    uses: SIDES,
    needs: "all",
    batch({ store, name }, groups) {
      const values = [...groups].flatMap((group) => SIDES.map((part) => references.get(name)!.of(2 * group + part)));
      return { ...batchOf(pairSequences(store, groups, predicting), groups.length), reference: joined(values) };
    },
  });
  for (const { name, store, groups } of data.splits) {
    const documents = [...groups].flatMap((group) => SIDES.map((part) => 2 * group + part));
    const sequenceOf = (document: number): Sequence => answerSequence(store, document);
    const reference = createReference({ documents, sequenceOf, rows: input.recipe.batch.rows });
    references.set(name, reference);
    input.own(reference);
  }
  const begin: GroupedData["begin"] = async (beginning) => {
    for (const [name, reference] of references) await reference.begin(beginning, `reference-${name}.f32`);
  };
  return { objective, data: { ...data, begin }, notes: data.notes };
}

export const dpo: Stage = {
  summary: "pairs of answers: the better one is preferred (dpo, ipo, kto, ...)",
  reading: "pairs",
  speaks: true,
  open(input) {
    const settings = input.recipe.objective;
    switch (settings?.name) {
      case "dpo":
        return referencedPairs(input, dpoLoss(settings));
      case "ipo":
        return referencedPairs(input, ipo(settings));
      case "hinge":
        return referencedPairs(input, hinge(settings));
      case "simpo":
        return plainPairs(input, simpo(settings));
      case "orpo":
        return plainPairs(input, orpo(settings));
      case "kto":
        return marked(input, settings);
    }
    throw new UsageError(`dpo has no objective ${settings?.name}.`, { field: "objective.name" });
  },
};

export const reward: Stage = {
  summary: "pairs of answers: a number for each is learnt",
  reading: "pairs",
  speaks: true,
  open(input) {
    const settings = input.recipe.objective;
    if (settings?.name !== "reward") throw new UsageError("reward has one objective.", { field: "objective.name" });
    return plainPairs(input, rewardLoss(settings), last);
  },
};
