// What a run learns from that learns from its own answers: a step's prompts, replies drawn to them from the model as it is,
// their rewards, and updates of micro-batches of those that tell something. All random numbers are functions of (seed, step, prompt,
// reply). Not here: how much an answer counts (policies.ts), how replies are drawn (rollouts.ts).
import { createHash } from "node:crypto";
import { uniform } from "../../base/random.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { type PromptRow, promptText } from "../data/prompts.ts";
import { shuffled } from "../data/shuffle.ts";
import type { MicroBatch, MicroBatches } from "../micro-batch.ts";
import type { JudgedReply, Judge, Reward } from "../rewards/reward-function.ts";
import type { DrawnReply } from "../rollouts.ts";
import type { Scorer } from "../scorer.ts";
import type { Beginning, CurrentModel, TrainingData } from "../training-data.ts";
import { type Answer, type AnswerInputs, answerBatch, packAnswers } from "./answers.ts";
import type { JudgedAnswer, Policy } from "./policies.ts";
import { tokenRewardsOf } from "./token-rewards.ts";

/** A prompt as the model reads it. */
export interface EncodedPrompt extends PromptRow {
  readonly ids: readonly number[];
}

export interface PromptSet {
  readonly prompts: readonly EncodedPrompt[];
  readonly sha256: string;
}

export interface PolicyDataOptions {
  readonly policy: Policy;
  readonly train: PromptSet;
  readonly held: PromptSet | undefined;
  readonly judge: Judge;
  readonly tokenizer: Tokenizer;
  readonly endIds: ReadonlySet<number>;
  /** Prompts of a step, and replies to each. */
  readonly prompts: number;
  readonly replies: number;
  /** Most tokens of a reply. */
  readonly tokens: number;
  readonly temperature: number;
  /** How often a step's replies are learnt, and in how many parts each time: an update each. */
  readonly iterations: number;
  readonly miniBatches: number;
  /** Tokens before that most over which a reply's reward falls by up to 1 (Yu et al. 2025, DAPO, equation 13); 0: none. */
  readonly overlong: number;
  /** Most rows of a micro-batch, and how many a recipe counts as a step. */
  readonly rows: number;
  readonly batchesOfStep: number;
  readonly seed: number;
  /** Opens what is asked as the reference; for policies that need it. */
  readonly openReference?: (beginning: Beginning) => Promise<Scorer<"logProbabilities">>;
}

/** Streams of random numbers: orders of prompts (an epoch is added), seeds of replies, and those of held-out prompts. */
const ORDER_STREAM = 0x4_0000_0000;
const REPLY_STREAM = 2 ** 24;
const HELD_STREAM = REPLY_STREAM + 1;
/** Which replies lie in which part; the number of the iteration in the run is added. */
const PARTS_STREAM = 0x5_0000_0000;
/** More than the replies of any step. */
const REPLIES_MOST = 2 ** 16;

interface Judged extends Answer {
  readonly prompt: readonly number[];
  readonly group: number;
  readonly ended: boolean;
  readonly reward: Reward;
  /** What its length takes off. */
  readonly over: number;
  /** What its tokens are worth besides; left out where none is. */
  readonly tokenRewards?: Float32Array;
}

const worth = ({ reward, over }: Judged): number => reward.total - over;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);

export function policyData(options: PolicyDataOptions): TrainingData {
  const { policy, train, held, judge, seed, prompts: promptsOfStep, replies } = options;
  let reference: Scorer<"logProbabilities"> | undefined;
  let signal: AbortSignal | undefined;
  let measured: Readonly<Record<string, number>> = {};
  const orderOf = lastOrder(train.prompts.length, seed);

  const promptAt = (position: number): EncodedPrompt => {
    const { length } = train.prompts;
    return train.prompts[orderOf(Math.floor(position / length))[position % length]];
  };

  /** Draws and judges `count` replies to each prompt. */
  async function answers(
    asked: readonly EncodedPrompt[],
    count: number,
    model: CurrentModel,
    seedOf: (reply: number) => number,
  ): Promise<Judged[]> {
    const all = asked.flatMap((prompt, group) => Array.from({ length: count }, () => ({ prompt, group })));
    const { temperature, tokens, endIds, overlong } = options;
    const drawn = await model.draw(
      all.map(({ prompt }, i) => ({ ids: prompt.ids, seed: seedOf(i) })),
      { temperature, tokens, endIds, signal },
    );
    const found = await judge.judge(
      drawn.map((reply, i) => ({ judged: readReply(all[i].prompt, reply), line: all[i].prompt.line })),
      signal,
    );
    return drawn.map(({ ids, ended }, i) => {
      const { prompt, group } = all[i];
      const over = overlong === 0 ? 0 : Math.max(0, ids.length - (tokens - overlong)) / overlong;
      const tokenRewards = tokenRewardsOf(options.tokenizer, ids, found[i].places);
      return {
        prompt: prompt.ids,
        reply: ids,
        ended,
        group,
        reward: found[i],
        over,
        ...(tokenRewards !== undefined && { tokenRewards }),
      };
    });
  }

  function readReply(prompt: EncodedPrompt, { ids, ended }: DrawnReply): JudgedReply {
    const said = ended ? ids.slice(0, -1) : ids;
    const reply = options.tokenizer.decode([...said], { special: false, start: false });
    return { prompt: promptText(prompt), messages: prompt.messages, reply, ended, row: prompt.row };
  }

  const referenceOf = async (batch: MicroBatch): Promise<Float32Array> =>
    reference === undefined // before `begin`
      ? new Float32Array(batch.outputRows.length)
      : (await reference.ask(batch, signal)).logProbabilities;

  /** What the objective is told of each of the answers; the model and the reference are asked about them. */
  async function inputsOf(learnt: readonly Judged[], model: CurrentModel): Promise<AnswerInputs[]> {
    const told = new Map<Judged, JudgedAnswer>();
    for (const pack of packAnswers(learnt, options.rows)) {
      const members = pack.map((i) => learnt[i]);
      const batch = answerBatch(members, policy.elements);
      const own = policy.needsOld ? copies(await model.rows(batch, signal)) : {};
      const ofReference = policy.needsReference ? await referenceOf(batch) : undefined;
      let first = 0;
      for (const answer of members) {
        const end = first + answer.reply.length;
        const part = (values: Float32Array | undefined): Float32Array =>
          values === undefined ? new Float32Array(0) : values.slice(first, end);
        told.set(answer, {
          reward: worth(answer),
          group: answer.group,
          ...(answer.tokenRewards !== undefined && { tokenRewards: answer.tokenRewards }),
          old: part(own["logProbabilities"]),
          values: part(own["values"]),
          reference: part(ofReference),
        });
        first = end;
      }
    }
    return policy.inputs(learnt.map((answer) => told.get(answer)!));
  }

  /** Of the step's answers, all in one part or mixed anew each time: the micro-batches of each update. */
  function* updatesOf(
    learnt: readonly Judged[],
    inputs: readonly AnswerInputs[],
    step: number,
  ): Generator<MicroBatches> {
    const { iterations, miniBatches, rows } = options;
    for (let iteration = 0; iteration < iterations; iteration++) {
      const order =
        miniBatches === 1
          ? Uint32Array.from(learnt.keys())
          : shuffled(learnt.length, seed, PARTS_STREAM + step * iterations + iteration);
      for (const part of partsOf([...order], miniBatches)) {
        const packs = packAnswers(
          part.map((i) => learnt[i]),
          rows,
        );
        yield packs.map((pack) => {
          const members = pack.map((place) => part[place]);
          return answerBatch(
            members.map((i) => learnt[i]),
            policy.elements,
            members.map((i) => inputs[i]),
          );
        });
      }
    }
  }

  return {
    hash: createHash("sha256").update([train.sha256, held?.sha256, judge.source].join(" ")).digest("hex"),
    batchesOfEpoch: (train.prompts.length / promptsOfStep) * options.batchesOfStep,
    async begin(beginning) {
      signal = beginning.signal;
      await judge.begin?.(beginning);
      if (policy.needsReference) reference = await options.openReference!(beginning);
    },
    async *updates(step, model) {
      const asked = Array.from({ length: promptsOfStep }, (_, i) => promptAt(step * promptsOfStep + i));
      const judged = await answers(asked, replies, model, (reply) =>
        seedFrom(seed, REPLY_STREAM, step * REPLIES_MOST + reply),
      );
      const even = policy.compares ? evenGroups(judged) : new Set<number>();
      measured = {
        ...measuresOf(judged),
        ...(options.overlong > 0 && { overlong: mean(judged.map(({ over }) => over)) }),
        ...(policy.compares && { skipped: even.size / promptsOfStep }),
      };
      const learnt = judged.filter(({ group }) => !even.has(group));
      yield* updatesOf(learnt, await inputsOf(learnt, model), step);
    },
    measures: () => measured,
    hasValidation: held !== undefined,
    async *validation() {},
    async judged(model) {
      const judged = await answers(held!.prompts, 1, model, (reply) => seedFrom(seed, HELD_STREAM, reply));
      const measures = measuresOf(judged);
      return { elements: judged.length, loss: -measures["reward"], measures };
    },
    inNats: false,
    validationBytes: undefined,
  };
}

/** Values in `count` parts of nearly equal length, those left out that are empty. */
const partsOf = (values: readonly number[], count: number): number[][] =>
  Array.from({ length: count }, (_, part) => {
    const edge = (n: number): number => Math.floor((n * values.length) / count);
    return values.slice(edge(part), edge(part + 1));
  }).filter((part) => part.length > 0);

const seedFrom = (seed: number, stream: number, position: number): number =>
  Math.floor(uniform(seed, stream, position) * 2 ** 53);

/** Orders are made anew for an epoch; the last one stays. */
function lastOrder(count: number, seed: number): (epoch: number) => Uint32Array {
  let last: { readonly epoch: number; readonly order: Uint32Array } = { epoch: -1, order: new Uint32Array(0) };
  return (epoch) => {
    if (last.epoch !== epoch) last = { epoch, order: shuffled(count, seed, ORDER_STREAM + epoch) };
    return last.order;
  };
}

/** Groups whose answers are all worth the same. */
function evenGroups(judged: readonly Judged[]): Set<number> {
  const groups = Map.groupBy(judged, ({ group }) => group);
  const isEven = (members: readonly Judged[]): boolean =>
    members.every((answer) => answer.tokenRewards === undefined && worth(answer) === worth(members[0]));
  return new Set([...groups].filter(([, members]) => isEven(members)).map(([group]) => group));
}

/** Means over answers: rewards and their parts, what places are worth where they are, tokens, the share that ended. */
function measuresOf(judged: readonly Judged[]): Record<string, number> {
  const parts = new Set(judged.flatMap(({ reward }) => Object.keys(reward.parts)));
  parts.delete("total");
  const of = (part: string): number => mean(judged.map(({ reward }) => reward.parts[part] ?? 0));
  return {
    reward: mean(judged.map(({ reward }) => reward.total)),
    ...Object.fromEntries([...parts].map((part) => [part, of(part)])),
    ...(judged.some(({ reward }) => reward.places !== undefined) && {
      places: mean(judged.map(({ reward: { places = [] } }) => places.reduce((sum, { worth }) => sum + worth, 0))),
    }),
    tokens: mean(judged.map(({ reply }) => reply.length)),
    ended: mean(judged.map(({ ended }) => Number(ended))),
  };
}

const copies = (found: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(found).map(([name, values]) => [name, values.slice()]));
