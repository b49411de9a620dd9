// What replies are worth to a reward model: a checkpoint of the stage `reward`, which reads prompt and reply with its own
// tokenizer and template, as it read the answers that it was trained on. Not here: training it (stages/preferences.ts).
import { joinPath, readBytes } from "#platform";
import { createHash } from "node:crypto";
import { sum } from "../../base/collections.ts";
import { UsageError } from "../../base/errors.ts";
import { resolveModel } from "../../chat/resolve.ts";
import { readings } from "../data/readings.ts";
import { HEADS_FILE } from "../heads.ts";
import { REWARD_WEIGHT } from "../objectives/reward.ts";
import type { Recipe } from "../recipe.ts";
import { Scorer, rewards } from "../scorer.ts";
import { inTurn } from "../stages/reference.ts";
import { type StartModel, openStartModel } from "../start-model.ts";
import { type AskedReply, type Judge, namingLine } from "./reward-function.ts";

/** One owner. */
export interface RewardModel extends Judge, AsyncDisposable {
  /** Of its weights, as they are stored. */
  readonly bytes: number;
}

const HEADS_BYTES_MAX = 2 ** 20;

/** Throws what opening a model throws, and UsageError for one that has no head of rewards. */
export async function openRewardModel(
  nameOrPath: string,
  { batch, precision }: Pick<Recipe, "batch" | "precision">,
): Promise<RewardModel> {
  const start = await openStartModel({ model: nameOrPath });
  const { model, store } = start;
  if (store?.parameters.has(REWARD_WEIGHT) !== true) {
    await start[Symbol.asyncDispose]();
    throw new UsageError(`${nameOrPath} has no ${HEADS_FILE} with ${REWARD_WEIGHT}.`, {
      field: "rewards.options.model",
      hint: "Take a checkpoint of the stage reward.",
    });
  }
  const heads = await readBytes(joinPath(await resolveModel(nameOrPath), HEADS_FILE), HEADS_BYTES_MAX);
  const { rows } = batch;
  let scorer: Scorer<"rewards"> | undefined;
  return {
    source: `model ${createHash("sha256").update(heads).digest("hex")}`,
    bytes: sum([...store.parameters.values()].map(({ byteLength }) => byteLength)),
    async begin({ executor, signal }) {
      const bounds = { rows, targets: rows, precision, ...(signal !== undefined && { signal }) };
      scorer = await Scorer.open(model, store, executor, rewards, bounds);
    },
    async judge(replies, signal) {
      const sequences = [];
      for (const reply of replies) {
        const ids = await namingLine(nameOrPath, reply.line, () => idsOf(start, reply, rows));
        sequences.push({ ids, outputRows: [ids.length - 1], element: 0, part: 0 });
      }
      // before `begin` only time is taken, for which replies of one prompt must differ
      if (scorer === undefined) return replies.map((_, i) => ({ total: i % 2, parts: {} }));
      const found: number[] = [];
      for (const asked of inTurn(sequences, rows)) found.push(...(await scorer.ask(asked, signal)).rewards);
      return found.map((total) => ({ total, parts: {} }));
    },
    async [Symbol.asyncDispose]() {
      await scorer?.[Symbol.asyncDispose]();
      await start[Symbol.asyncDispose]();
    },
  };
}

/** Up to the token that ends the reply's turn. */
async function idsOf(
  { tokenizer, chosen, model }: StartModel,
  { judged }: AskedReply,
  rows: number,
): Promise<readonly number[]> {
  const answer = [{ role: "assistant", content: judged.reply }] as const;
  const record = { prompt: judged.messages, chosen: answer };
  const [{ ids, spans }] = await readings.pairs.encode({ tokenizer, template: chosen.template }, record);
  const whole = ids.slice(0, spans.at(-1)![1]);
  const most = Math.min(rows, model.window);
  if (whole.length <= most) return whole;
  throw new UsageError(
    `prompt and reply have ${whole.length} tokens, expected at most batch.rows, ${rows}, and its window, ${model.window}`,
  );
}
