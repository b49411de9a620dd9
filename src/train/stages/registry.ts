// Every stage of training, one row each. A new one is a row here, its objectives in settings.ts, and a file.
import { distill } from "./distill.ts";
import { embed } from "./embed.ts";
import { grpo, ppo } from "./policy.ts";
import { dpo, reward } from "./preferences.ts";
import { seq2seq } from "./seq2seq.ts";
import type { StageName } from "./settings.ts";
import type { Stage } from "./stage.ts";
import { pretrain, sft } from "./texts.ts";

export const stages = { pretrain, sft, seq2seq, dpo, reward, grpo, ppo, distill, embed } satisfies Record<
  StageName,
  Stage
>;

export const stageOf = ({ stage }: { readonly stage: StageName }): Stage => stages[stage];
