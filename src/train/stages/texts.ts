// The stages that learn what comes next: texts whole, or of conversations the replies.
import { nextToken } from "../objectives/next-token.ts";
import { trainingData } from "../training-data.ts";
import type { DocumentStage } from "./stage.ts";

const open: DocumentStage["open"] = ({ recipe, train, held, counts }) => ({
  objective: nextToken(),
  data: trainingData(train, held, recipe, counts.validation.learntBytes || undefined),
});

export const pretrain: DocumentStage = {
  summary: "texts, every token is learnt",
  reading: "documents",
  speaks: false,
  open,
};
export const sft: DocumentStage = {
  summary: "conversations, replies are learnt",
  reading: "documents",
  speaks: true,
  open,
};
