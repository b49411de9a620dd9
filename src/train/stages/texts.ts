// The stages that learn of texts alone: what comes next, of texts whole or of conversations the replies; or what was hidden.
import { maskedData } from "../masked-data.ts";
import { maskedToken } from "../objectives/next-token.ts";
import { nextToken } from "../objectives/next-token.ts";
import { trainingData } from "../training-data.ts";
import type { DocumentStage } from "./stage.ts";

const open: DocumentStage["open"] = ({ recipe, train, held, counts }) => ({
  objective: nextToken(),
  data: trainingData(train, held, recipe, counts.validation.learntBytes || undefined),
});

export const pretrain: DocumentStage = {
  summary: "texts, every token is learnt, or those that are hidden",
  reading: "documents",
  speaks: false,
  open(input) {
    const { objective } = input.recipe;
    if (objective?.name !== "mlm") return open(input);
    return { objective: maskedToken(), data: maskedData(input, objective.share) };
  },
};
export const sft: DocumentStage = {
  summary: "conversations, replies are learnt",
  reading: "documents",
  speaks: true,
  open,
};
