// What a stage of training is: how its records are read, what is learnt of them, and the micro-batches that hold them.
// Which there are is told by registry.ts.
import type { ReadingName } from "../data/readings.ts";
import type { TokenCard } from "../data/tokenize.ts";
import type { Objective } from "../objectives/objective.ts";
import type { ProgramOptions } from "../programs.ts";
import type { Recipe } from "../recipe.ts";
import type { StartModel } from "../start-model.ts";
import type { DataSplit, TrainingData } from "../training-data.ts";

interface StageFacts {
  /** A line for people. */
  readonly summary: string;
  /** Whether a chat template writes its messages: then a model without one is refused, and a sample's prompt is a message. */
  readonly speaks: boolean;
}

/** Learns from prepared data. */
export interface DocumentStage extends StageFacts {
  readonly reading: ReadingName;
  /** Throws UsageError where recipe, model and data do not fit together. */
  open(input: StageInput): StageParts | Promise<StageParts>;
}

/** Learns from what the model answers; opens its prompts itself. */
export interface PromptStage extends StageFacts {
  readonly reading: "prompts";
  open(input: PromptInput): Promise<StageParts>;
}

export type Stage = DocumentStage | PromptStage;

export interface PromptInput {
  readonly recipe: Recipe;
  readonly start: StartModel;
  /** Takes what is to be closed with the run. */
  readonly own: (resource: AsyncDisposable | Disposable) => void;
}

export interface StageInput extends PromptInput {
  readonly train: DataSplit;
  /** What is held out, where anything is. */
  readonly held: DataSplit | undefined;
  readonly counts: TokenCard["splits"];
}

export interface StageParts {
  readonly objective: Objective;
  readonly data: TrainingData;
  /** Most elements of the loss in a micro-batch, where these are no rows; replies that are drawn. */
  readonly bounds?: Pick<ProgramOptions, "elements" | "rollouts">;
  /** Of models that stay open beside the one that is trained, as they are stored. */
  readonly besideBytes?: number;
  /** What a person should know, a sentence each. */
  readonly notes?: readonly string[];
}
