// The stages that learn from rewards: the model answers prompts, a function says what each answer is worth, and better ones
// become likelier. `grpo` compares the answers to one prompt, `ppo` each token with what a value head foretold.
import { UsageError } from "../../base/errors.ts";
import { createTextSide } from "../../chat/text-side.ts";
import { readPrompts } from "../data/prompts.ts";
import { policyOf } from "../policy/policies.ts";
import { type PromptSet, policyData } from "../policy/policy-data.ts";
import { tempered } from "../policy/tempered.ts";
import { type Judge, judgeOf, openRewards } from "../rewards/reward-function.ts";
import { openRewardModel } from "../rewards/reward-model.ts";
import { Scorer, logProbabilities } from "../scorer.ts";
import { isPolicy } from "./settings.ts";
import type { PromptInput, PromptStage, StageParts } from "./stage.ts";

async function open({ recipe, start, own }: PromptInput): Promise<StageParts> {
  const { objective: settings, rollout, rewards, batch, data: path, heldOut } = recipe;
  if (settings === undefined || !isPolicy(settings) || rollout === undefined || rewards === undefined) {
    throw new UsageError(`${recipe.stage} needs an objective, a rollout and rewards.`, { field: "rollout" });
  }
  const { tokens, replies, prompts: promptsOfStep, temperature, iterations, miniBatches } = rollout;
  const wrong = (field: string, found: unknown, expected: string): UsageError =>
    new UsageError(`${field} is ${String(found)}, expected ${expected}.`, { field });
  if (recipe.tokens !== undefined) throw wrong("tokens", recipe.tokens, `nothing: ${recipe.stage} has steps or epochs`);
  if (tokens >= batch.window) throw wrong("rollout.tokens", tokens, `less than batch.window, ${batch.window}`);
  const policy = policyOf(settings, tokens);
  if (policy.compares && replies < 2)
    throw wrong("rollout.replies", replies, `2 or more, as ${settings.name} compares`);
  for (const [field, updates] of Object.entries({ iterations, miniBatches })) {
    if (policy.repeats || updates === 1) continue;
    throw wrong(`rollout.${field}`, updates, `1, as ${settings.name} learns from what the model itself would say`);
  }
  if (miniBatches > promptsOfStep * replies)
    throw wrong("rollout.miniBatches", miniBatches, `at most the ${promptsOfStep * replies} replies of a step`);
  if (policy.needsReference && start.store === undefined) {
    throw wrong("objective.kl", settings.name === "gspo" ? 0 : settings.kl, "0, as a new model has no reference");
  }
  const notes: string[] = [];
  const side = createTextSide({ tokenizer: start.tokenizer, template: start.chosen.template });
  const encoded = async (file: string): Promise<PromptSet> => {
    const { prompts, sha256 } = await readPrompts(file);
    const room = batch.window - tokens;
    const fitting: PromptSet["prompts"][number][] = [];
    for (const prompt of prompts) {
      const ids = await side.promptIds(prompt.messages);
      if (ids.length <= room) fitting.push({ ...prompt, ids });
    }
    const left = prompts.length - fitting.length;
    if (left > 0) {
      notes.push(
        `${left} of ${prompts.length} prompts of ${file} are left out: longer than batch.window - rollout.tokens, ${room}.`,
      );
    }
    if (fitting.length === 0) throw wrong("batch.window", batch.window, `room for a prompt and ${tokens} tokens`);
    return { prompts: fitting, sha256 };
  };
  const train = await encoded(path);
  const held = heldOut === undefined ? undefined : await encoded(heldOut);
  const { judge, besideBytes } = await openJudge(rewards);
  const { rows } = batch;
  const data = policyData({
    policy,
    train,
    held,
    judge,
    tokenizer: start.tokenizer,
    endIds: start.endIds,
    prompts: promptsOfStep,
    replies,
    tokens,
    temperature,
    iterations,
    miniBatches,
    overlong: settings.name === "dapo" ? Math.round(settings.overlong * tokens) : 0,
    rows,
    batchesOfStep: batch.tokens / rows,
    seed: recipe.seed,
    async openReference({ executor, signal }) {
      const { precision } = recipe;
      const asked: typeof logProbabilities = (x) => logProbabilities(tempered(x, temperature));
      const bounds = { rows, targets: rows, precision, ...(signal !== undefined && { signal }) };
      const scorer = await Scorer.open(start.model, start.store!, executor, asked, bounds);
      own(scorer);
      return scorer;
    },
  });
  const sequences = Math.min(rollout.sequences, promptsOfStep * replies);
  return {
    objective: { ...policy.objective, trace: (x) => policy.objective.trace(tempered(x, temperature)) },
    data,
    bounds: { rollouts: { window: batch.window, sequences } },
    besideBytes,
    notes,
  };

  async function openJudge(given: NonNullable<typeof rewards>): Promise<{ judge: Judge; besideBytes: number }> {
    const { from, options } = typeof given === "string" ? { from: given, options: {} } : given;
    if (from !== "model") return { judge: judgeOf(await openRewards(from, options)), besideBytes: 0 };
    const { model, ...others } = options;
    if (typeof model !== "string" || Object.keys(others).length > 0) {
      throw wrong("rewards.options", JSON.stringify(options), '{ "model": a checkpoint of the stage reward }');
    }
    const judge = await openRewardModel(model, recipe);
    own(judge);
    return { judge, besideBytes: judge.bytes };
  }
}

export const grpo: PromptStage = {
  summary: "prompts: answers that rewards prefer to others become likelier",
  reading: "prompts",
  speaks: true,
  open,
};

export const ppo: PromptStage = {
  summary: "prompts: tokens that earn more than was foretold become likelier",
  reading: "prompts",
  speaks: true,
  open,
};
