// Every objective against losses and gradients by PyTorch in f64 (test/golden/training): as a stage traces it, with the
// file's log-probabilities, scores or logits in the place of a model's.
import { contrastive } from "../../src/train/objectives/contrastive.ts";
import { groupAdvantages, leaveOneOutAdvantages } from "../../src/train/objectives/advantages.ts";
import { distill } from "../../src/train/objectives/distill.ts";
import { dpo } from "../../src/train/objectives/dpo.ts";
import { type GrpoOptions, grpo, gspo } from "../../src/train/objectives/grpo.ts";
import { hinge } from "../../src/train/objectives/hinge.ts";
import { ipo } from "../../src/train/objectives/ipo.ts";
import { k1, k2, k3 } from "../../src/train/objectives/kl.ts";
import { kto } from "../../src/train/objectives/kto.ts";
import { nextToken } from "../../src/train/objectives/next-token.ts";
import type { Losses, Objective, ObjectiveInputs } from "../../src/train/objectives/objective.ts";
import { orpoLosses } from "../../src/train/objectives/orpo.ts";
import { ppo } from "../../src/train/objectives/ppo.ts";
import { reward } from "../../src/train/objectives/reward.ts";
import { rloo } from "../../src/train/objectives/rloo.ts";
import { simpo } from "../../src/train/objectives/simpo.ts";
import {
  type Tensor,
  add,
  constant,
  crossEntropy,
  gather,
  maximum,
  multiply,
  scale,
  scatterAddRows,
  sumAll,
} from "../../src/graph/index.ts";
import { type GoldenCase, type GoldenData, goldenGradients } from "../gradients/golden.ts";

type Leaves = Readonly<Record<string, Tensor>>;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What an objective reads, with the tensors given by name; whatever it asks for besides is a mistake. */
function inputsOf(given: Leaves, elements = 0): ObjectiveInputs {
  const named = (name: string): Tensor => {
    if (given[name] === undefined) throw new Error(`the case gives no ${name}`);
    return given[name];
  };
  return {
    get logits() {
      return named("logits");
    },
    get hidden() {
      return named("hidden");
    },
    get logProbabilities() {
      return named("logProbabilities");
    },
    elements,
    ids: named,
    rows: named,
    each: named,
    one: named,
    weight: named,
  };
}

/** The mean of values (E, 1) by weight, of 1 each unless others are given. */
function mean(values: Tensor, data: GoldenData, weights?: readonly number[]): Tensor {
  const list = weights ?? Array<number>(values.shape[0] as number).fill(1);
  const leaf = data.floats("weights", [list.length, 1], list);
  return scale(sumAll(multiply(values, leaf)), 1 / list.reduce((a, b) => a + b, 0));
}

const PAIRS = 6;
/** Each pair has two rows, one of each member: those of all first members, then those of the second. */
function pairInputs(data: GoldenData, given: Leaves, pairs = PAIRS): ObjectiveInputs {
  const places = [0, 1].map((member) =>
    data.ints(
      `member ${member}`,
      range(pairs).map((i) => i + member * pairs),
    ),
  );
  const stack = (first: Tensor, second: Tensor): Tensor =>
    add(scatterAddRows(places[0], first, 2 * pairs), scatterAddRows(places[1], second, 2 * pairs));
  const { first, second, firstReference, secondReference, ...others } = given;
  const rows = stack(first, second);
  const isFirst = range(2 * pairs).map((i) => (i < pairs ? 1 : 0));
  return inputsOf(
    {
      logProbabilities: rows,
      hidden: rows,
      ...(firstReference !== undefined && { reference: stack(firstReference, secondReference) }),
      elements: data.ints("elements", [...range(pairs), ...range(pairs)]),
      first: data.floats("isFirst", [2 * pairs, 1], isFirst),
      ...others,
    },
    pairs,
  );
}

/** Log-probabilities of chosen and rejected answers (pc, pr), and a reference's (rc, rr). */
const referenced = (objective: Objective, more: (losses: Losses) => Leaves = () => ({})): GoldenCase => ({
  columns: ["pc", "pr", "rc", "rr"],
  build({ pc, pr, rc, rr }, data) {
    const traced = objective.trace(
      pairInputs(data, { first: pc, second: pr, firstReference: rc, secondReference: rr }),
    );
    return { loss: mean(traced.losses, data), per: traced.losses, ...more(traced) };
  },
});

interface Answers {
  readonly x: ObjectiveInputs;
  /** Rows that the mask keeps, and how many each answer has. */
  readonly kept: readonly number[];
  readonly lengths: readonly number[];
}

/** Rows of answers whose mask is 1; `ofRows` are leaves (B * T, 1) by the names that objectives have for them. */
function answerInputs(data: GoldenData, ofRows: Leaves, others: Leaves = {}): Answers {
  const { shape, i32: mask } = data.tensors["in.mask"];
  const [answers, length] = shape;
  const kept = range(mask.length).filter((i) => mask[i] === 1);
  const places = data.ints("kept", kept);
  const rows = Object.entries(ofRows).map(([name, leaf]) => [name, gather(leaf, places)]);
  const answerOf = kept.map((i) => Math.floor(i / length));
  const given = {
    ...(Object.fromEntries(rows) as Leaves),
    elements: data.ints("answers", answerOf),
    ...others,
  };
  const lengths = range(answers).map((answer) => answerOf.filter((it) => it === answer).length);
  return { x: inputsOf(given, answers), kept, lengths };
}

/** Of each answer, from the rewards of groups of four. */
function advantagesOf({ tensors }: GoldenData, of: (rewards: ArrayLike<number>) => Float64Array): number[] {
  const rewards = tensors["in.rewards"].f32;
  return [0, 4].flatMap((first) => [...of(rewards.subarray(first, first + 4))]);
}

const grouped = (mode: "token" | "answer" | "fixed", divide: boolean, options: GrpoOptions): GoldenCase => ({
  columns: ["logp", "logp_old", "logp_ref"],
  build({ logp, logp_old, logp_ref }, data) {
    const ofAnswers = advantagesOf(data, (rewards) => groupAdvantages(rewards, divide));
    const ofRows = data.floats(
      "advantages",
      [56, 1],
      range(56).map((i) => ofAnswers[Math.floor(i / 7)]),
    );
    const rows = { logProbabilities: logp, old: logp_old, reference: logp_ref, advantages: ofRows };
    const { x, kept, lengths } = answerInputs(data, rows);
    const { losses } = grpo({ ...options, ...(mode === "fixed" && { answerTokens: 7 }) }).trace(x);
    const weights = mode === "answer" ? kept.map((i) => 1 / lengths[Math.floor(i / 7)]) : undefined;
    return {
      loss: mean(losses, data, weights),
      kl: scale(sumAll(k3(x.logProbabilities, x.rows("reference"))), 1 / kept.length),
      advantages: data.floats("advantages of answers", [8, 1], ofAnswers),
    };
  },
});

const reference = (name: string): GoldenCase => {
  const traced: Record<string, Objective> = {
    dpo: dpo({ beta: 0.1 }),
    cdpo: dpo({ beta: 0.1, flipped: 0.1 }),
    robust_dpo: dpo({ beta: 0.1, flipped: 0.1, robust: true }),
    ipo: ipo({ beta: 0.1 }),
    hinge: hinge({ beta: 0.1 }),
  };
  const rewards = ({ measures }: Losses): Leaves => ({
    reward_chosen: measures!.chosenReward,
    reward_rejected: measures!.rejectedReward,
  });
  return referenced(traced[name], name === "dpo" ? rewards : undefined);
};

goldenGradients("preference", {
  ...Object.fromEntries(["dpo", "cdpo", "robust_dpo", "ipo", "hinge"].map((name) => [name, reference(name)])),
  orpo: {
    columns: ["c", "r", "nll"],
    build({ c, r, nll }, data) {
      const { losses, ratio } = orpoLosses({ first: c, second: r }, nll, 0.1);
      return { loss: mean(losses, data), log_odds: ratio };
    },
  },
  simpo: {
    columns: ["c", "r"],
    build({ c, r }, data) {
      const { losses } = simpo({ beta: 2, gamma: 1 }).trace(pairInputs(data, { first: c, second: r }));
      return { loss: mean(losses, data), per: losses };
    },
  },
  kto: {
    columns: ["p", "r"],
    build({ p, r, kl }, data) {
      const desirable = data.floats("good", [PAIRS, 1], data.tensors["in.desirable"].i32);
      const meanKl = scale(sumAll(kl), 1 / PAIRS);
      const given = { logProbabilities: p, reference: r, desirable, kl: meanKl };
      const { losses } = kto({ beta: 0.1 }).trace(
        inputsOf({ ...given, elements: data.ints("elements", range(PAIRS)) }, PAIRS),
      );
      return { loss: mean(losses, data), per: losses, z: maximum(meanKl, 0) };
    },
  },
  bradley_terry: {
    columns: ["c", "r", "margin"],
    build({ c, r, margin }, data) {
      const head = { "reward.weight": constant(1, [1, 1]) };
      const traced = reward({ margins: true }).trace(pairInputs(data, { first: c, second: r, margin, ...head }));
      const accuracy = scale(sumAll(traced.measures!.accuracy), 1 / PAIRS);
      return { loss: mean(traced.losses, data), per: traced.losses, accuracy };
    },
  },
  reward_centering: {
    columns: ["c", "r"],
    build({ c, r }, data) {
      const head = { "reward.weight": constant(1, [1, 1]) };
      const traced = reward({ centering: 0.01 }).trace(pairInputs(data, { first: c, second: r, ...head }));
      return mean(traced.losses, data);
    },
  },
  ppo: {
    columns: ["logp", "values", "logp_old", "values_old", "adv", "returns"],
    build({ logp, values, logp_old, values_old, adv, returns }, data) {
      const policy = { logProbabilities: logp, old: logp_old, advantages: adv };
      const { x, kept } = answerInputs(
        data,
        { ...policy, hidden: values, oldValues: values_old, returns },
        { "value.weight": constant(1, [1, 1]) },
      );
      const { losses, measures } = ppo({ low: 0.2, high: 0.2, valueRange: 0.2, valueWeight: 0.1 }).trace(x);
      const meanOf = (values: Tensor): Tensor => scale(sumAll(values), 1 / kept.length);
      return {
        loss: mean(losses, data),
        pg: meanOf(measures!.policyLoss),
        vloss: meanOf(measures!.valueLoss),
        approx_kl: meanOf(measures!.kl),
        clipfrac: meanOf(measures!.clipped),
      };
    },
  },
  grpo: grouped("answer", true, { kl: 0.04 }),
  dapo: grouped("token", true, { high: 0.28 }),
  dr_grpo: grouped("fixed", false, {}),
  gspo: {
    columns: ["logp", "logp_old"],
    build({ logp, logp_old }, data) {
      const advantages = data.floats("advantages", [8, 1], advantagesOf(data, groupAdvantages));
      const { x } = answerInputs(data, { logProbabilities: logp, old: logp_old }, { advantages });
      return mean(gspo().trace(x).losses, data);
    },
  },
  rloo: {
    columns: ["logp"],
    build({ logp }, data) {
      const advantages = data.floats("advantages", [8, 1], advantagesOf(data, leaveOneOutAdvantages));
      const { x } = answerInputs(data, { logProbabilities: logp }, { advantages });
      return { loss: mean(rloo().trace(x).losses, data), advantages };
    },
  },
  kl_estimators: { build: ({ p, q }) => ({ k1: k1(p, q), k2: k2(p, q), k3: k3(p, q) }) },
});

/** Rows whose target is kept count, as the file's means have it. */
const distilled = (alpha: number, temperature: number): GoldenCase => ({
  build({ student, teacher, target }, data) {
    const kept = Array.from(data.tensors["in.target"].i32, (id) => (id < 0 ? 0 : 1));
    const x = inputsOf({ logits: student, teacher, targets: target });
    const { losses, measures } = distill({ alpha, temperature }).trace(x);
    const count = kept.filter((it) => it > 0).length;
    const isKept = data.floats("kept", [kept.length, 1], kept);
    return {
      loss: mean(losses, data, kept),
      kl: scale(sumAll(multiply(measures!.kl, isKept)), 1 / count),
      ce: scale(sumAll(crossEntropy(student, target)), 1 / count),
    };
  },
});

goldenGradients("ops", {
  info_nce: {
    build({ a, b }, data) {
      const x = pairInputs(data, { first: a, second: b }, 5);
      return mean(contrastive({ pairs: 5, temperature: 0.05 }).trace(x).losses, data);
    },
  },
});

goldenGradients("finetune", {
  distill_T2: distilled(0.5, 2),
  distill_T4: distilled(0.9, 4),
  distill_reverse_kl: {
    build({ student, teacher }, data) {
      const objective = distill({ alpha: 1, temperature: 1, reverse: true });
      return mean(objective.trace(inputsOf({ logits: student, teacher })).losses, data);
    },
  },
  label_mask: {
    build({ logits }, data) {
      const { shape, i32 } = data.tensors["in.labels"];
      const length = shape[1];
      const next = Array.from(i32, (_, at) => (at % length === length - 1 ? -100 : i32[at + 1]));
      const { losses } = nextToken().trace(inputsOf({ logits, targets: data.ints("next", next) }));
      const sequences = data.ints(
        "sequences",
        range(next.length).map((at) => Math.floor(at / length)),
      );
      return {
        loss: mean(
          losses,
          data,
          next.map((label) => (label < 0 ? 0 : 1)),
        ),
        seq_logp: scale(scatterAddRows(sequences, losses, shape[0]), -1),
      };
    },
  },
});
