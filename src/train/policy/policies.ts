// Ways to learn from rewards: what each makes smaller, and what it makes of a step's answers and their rewards. One row a
// name that a recipe may say. Not here: drawing answers (policy-data.ts), the losses (objectives/).
import { groupAdvantages, generalisedAdvantages, leaveOneOutAdvantages, whitened } from "../objectives/advantages.ts";
import { grpo, gspo } from "../objectives/grpo.ts";
import type { Objective } from "../objectives/objective.ts";
import { ppo } from "../objectives/ppo.ts";
import { rloo } from "../objectives/rloo.ts";
import type { AnswerInputs, ElementKind } from "./answers.ts";
import type { PolicyName, PolicySettings } from "../stages/settings.ts";

/** An answer that counts. */
export interface JudgedAnswer {
  readonly reward: number;
  /** Number of the prompt that it answers, from 0. */
  readonly group: number;
  /** Of each of the reply's tokens: what the model said when the step began, and the reference; empty where not asked. */
  readonly old: ArrayLike<number>;
  /** What each is worth besides; none of them anything where left out. */
  readonly tokenRewards?: Float32Array;
  readonly values: ArrayLike<number>;
  readonly reference: ArrayLike<number>;
}

export interface Policy {
  readonly objective: Objective;
  readonly elements: ElementKind;
  /** Answers to one prompt are compared with each other: where all are worth the same, nothing is learnt from them. */
  readonly compares: boolean;
  /** Whether answers may be learnt again once the model has moved: the loss tells by how much, and holds it back. */
  readonly repeats: boolean;
  /** Whether the model is asked about the answers before the step changes it, and the one that the run started from. */
  readonly needsOld: boolean;
  readonly needsReference: boolean;
  /** One for each answer of the step. */
  inputs(answers: readonly JudgedAnswer[]): AnswerInputs[];
}

/** Σ p - r over a reply: how far it is from the reference. */
const distance = ({ old, reference }: JudgedAnswer): number =>
  Array.from(old).reduce((sum, p, t) => sum + p - reference[t], 0);

/** What `advantages` makes of the rewards of each prompt's answers. */
function byGroup(
  answers: readonly JudgedAnswer[],
  rewards: readonly number[],
  advantages: (rewards: readonly number[]) => ArrayLike<number>,
): Float64Array {
  const groups = Map.groupBy(answers.keys(), (i) => answers[i].group);
  const found = new Float64Array(answers.length);
  for (const members of groups.values()) {
    const its = advantages(members.map((i) => rewards[i]));
    for (const [n, i] of members.entries()) found[i] = its[n];
  }
  return found;
}

const rewardsOf = (answers: readonly JudgedAnswer[]): number[] => answers.map(({ reward }) => reward);
/** What the whole is worth to policies that know no tokens. */
const sumOf = ({ reward, tokenRewards = new Float32Array(0) }: JudgedAnswer): number =>
  tokenRewards.reduce((sum, value) => sum + value, reward);

/** Policies whose tokens all have their answer's advantage, besides what they are worth themselves. */
function grouped(
  objective: Objective,
  kl: number,
  { elements, weight, divide }: { elements: ElementKind; weight: (tokens: number) => number; divide: boolean },
): Policy {
  return {
    objective,
    elements,
    compares: true,
    repeats: true,
    needsOld: true,
    needsReference: kl > 0,
    inputs(answers) {
      const advantages = byGroup(answers, rewardsOf(answers), (rewards) => groupAdvantages(rewards, divide));
      return answers.map(({ old, reference, tokenRewards }, i) => ({
        weight: weight(old.length),
        rows: {
          old,
          advantages: Float32Array.from(old, (_, t) => advantages[i] + (tokenRewards?.[t] ?? 0)),
          ...(kl > 0 && { reference }),
        },
      }));
    },
  };
}

type Settings<N extends PolicyName> = Extract<PolicySettings, { readonly name: N }>;
type Policies = { readonly [N in PolicyName]: (settings: Settings<N>, answerTokens: number) => Policy };

const policies: Policies = {
  grpo: (settings) =>
    grouped(grpo(settings), settings.kl, { elements: "rows", weight: (tokens) => 1 / tokens, divide: true }),
  dapo: (settings) => grouped(grpo(settings), settings.kl, { elements: "rows", weight: () => 1, divide: true }),
  drgrpo: (settings, answerTokens) =>
    grouped(grpo({ ...settings, answerTokens }), settings.kl, {
      elements: "answers",
      weight: () => 1,
      divide: false,
    }),
  gspo: (settings) => ({
    objective: gspo(settings),
    elements: "answers",
    compares: true,
    repeats: true,
    needsOld: true,
    needsReference: false,
    inputs(answers) {
      const advantages = byGroup(answers, answers.map(sumOf), (rewards) => groupAdvantages(rewards));
      return answers.map(({ old }, i) => ({ weight: 1, rows: { old }, each: { advantages: advantages[i] } }));
    },
  }),
  rloo: ({ kl }) => ({
    objective: rloo(),
    elements: "answers",
    compares: true,
    repeats: false,
    needsOld: kl > 0,
    needsReference: kl > 0,
    inputs(answers) {
      const rewards = answers.map((answer) => sumOf(answer) - (kl > 0 ? kl * distance(answer) : 0));
      const advantages = byGroup(answers, rewards, leaveOneOutAdvantages);
      return answers.map((_, i) => ({ weight: 1, each: { advantages: advantages[i] } }));
    },
  }),
  ppo: (settings) => ({
    objective: ppo(settings),
    elements: "rows",
    compares: false,
    repeats: true,
    needsOld: true,
    needsReference: settings.kl > 0,
    inputs(answers) {
      const estimates = answers.map(({ reward, old, reference, values, tokenRewards }) =>
        generalisedAdvantages(
          { score: reward, tokenRewards, logProbabilities: old, reference: settings.kl > 0 ? reference : old, values },
          settings,
        ),
      );
      // over all tokens of the step
      const even = whitened(estimates.flatMap(({ advantages }) => [...advantages]));
      let first = 0;
      return answers.map(({ old, values }, i) => {
        const advantages = even.subarray(first, (first += old.length));
        return { weight: 1, rows: { old, oldValues: values, advantages, returns: estimates[i].returns } };
      });
    },
  }),
};

/** `answerTokens`: the most tokens of a reply. */
export function policyOf<N extends PolicyName>(settings: Settings<N>, answerTokens: number): Policy {
  const make = policies[settings.name] as (settings: Settings<N>, answerTokens: number) => Policy;
  return make(settings, answerTokens);
}
