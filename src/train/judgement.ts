// How a model stands to answers that people marked: which of two it would rather give, how likely it finds each kind, and
// what it answers itself. Asked through the door, so a model is judged as it is served. Not here: training (correction.ts).
import { load } from "../chat/load.ts";
import type { LoadOptions, Message } from "../chat/types.ts";
import { joinPath } from "#platform";
import { rowsOfDocument } from "./data/groups.ts";
import type { Split } from "./data/data-card.ts";
import type { PreferenceRecord } from "./data/record.ts";
import { documentRows, openSplit } from "./data/tokenize.ts";
import { documentsOf } from "./data/token-store.ts";
import { idsOf, learntOf } from "./stages/group-batch.ts";

export interface AnswersJudged {
  readonly count: number;
  /** Nats a token of all together. */
  readonly natsPerToken: number | null;
}

export interface Judgement {
  readonly pairs: number;
  /** Share of the pairs whose better answer is likelier than the worse; null: there is no pair. */
  readonly prefers: number | null;
  /** Mean of how much likelier, in nats. */
  readonly margin: number | null;
  readonly better: AnswersJudged;
  readonly worse: AnswersJudged;
  /** Answers that do not fit into the window, and are not judged. */
  readonly tooLong: number;
  readonly replies: readonly Reply[];
}

export interface Reply {
  readonly prompt: readonly Message[];
  readonly text: string;
}

export interface JudgeOptions extends Pick<LoadOptions, "threads" | "executor" | "template" | "adapter" | "signal"> {
  /** Which documents of the prepared data. */
  readonly split: Split;
  /** How many of the questions the model answers itself, greedily, and how long at most. */
  readonly replies: number;
  readonly replyTokens: number;
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

/** Judges by the pairs of `folder`, which are tokenized for this model. Throws what `load` throws. */
export async function judgeModel(
  nameOrPath: string,
  folder: string,
  { split, replies, replyTokens, ...options }: JudgeOptions,
): Promise<Judgement> {
  const { signal } = options;
  await using model = await load(nameOrPath, { ...options, slots: 1, packCache: false });
  using store = await openSplit(folder, split, "pairs");
  const sides = [0, 1].map(() => ({ count: 0, nats: 0, tokens: 0 }));
  const margins: number[] = [];
  let tooLong = 0;
  for (let pair = 0; pair < documentsOf(store) / 2; pair++) {
    const found: number[] = [];
    for (const [part, side] of sides.entries()) {
      const document = 2 * pair + part;
      const rows = rowsOfDocument(store, document);
      if (rows > model.info.window) tooLong++;
      if (rows === 0 || rows > model.info.window) continue;
      const places = learntOf(store, document);
      const scores = await model.score([...idsOf(store, document)], signal && { signal });
      const sum = places.reduce((total, place) => total + scores[place - 1], 0);
      found.push(sum);
      side.count++;
      side.nats -= sum;
      side.tokens += places.length;
    }
    if (found.length === 2) margins.push(found[0] - found[1]);
  }
  const [better, worse] = sides.map(({ count, nats, tokens }) => ({
    count,
    natsPerToken: tokens === 0 ? null : nats / tokens,
  }));
  return {
    pairs: margins.length,
    prefers: meanOf(margins.map((margin) => (margin > 0 ? 1 : 0))),
    margin: meanOf(margins),
    better,
    worse,
    tooLong,
    replies: await repliesOf(),
  };

  async function repliesOf(): Promise<Reply[]> {
    const given: Reply[] = [];
    for await (const row of documentRows(joinPath(folder, `${split}.jsonl`), signal)) {
      if (given.length === replies) break;
      const { prompt, tools } = row as unknown as PreferenceRecord;
      const shared = { ...(tools && { tools }), ...(signal && { signal }) };
      const room = model.info.window - (await model.promptIds(prompt, shared)).length;
      if (room <= 0) continue;
      let text = "";
      const asked = { temperature: 0, maxTokens: replyTokens, ...shared };
      for await (const event of model.chat(prompt, asked)) if (event.type === "text-delta") text += event.text;
      given.push({ prompt, text });
    }
    return given;
  }
}
