// Every objective with a tiny model and a batch for it, what its loss is before anything is learnt, and what it falls
// below. References and teachers are models that are only asked.
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { newModel } from "../../src/models/index.ts";
import { initialiseWeights } from "../../src/train/initial-weights.ts";
import {
  type Objective,
  contrastive,
  distill,
  dpo,
  grpo,
  gspo,
  hinge,
  ipo,
  kto,
  maskedToken,
  nextToken,
  orpo,
  ppo,
  reward,
  rloo,
  simpo,
} from "../../src/train/objectives/index.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { liveStore } from "../../src/train/saved-tensors.ts";
import { type Question, Scorer, logProbabilities, logits } from "../../src/train/scorer.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";

const V = 24;
const model = newModel({
  model_type: "llama",
  vocab_size: V,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 16,
  tie_word_embeddings: false,
});
const noStore = { parameters: new Map(), readRows: () => Promise.reject(new Error("no weight is read")) };
const bounds = { rows: 32, targets: 32 };

export async function open(objective: Objective, seed = 7, executor: Executor = referenceExecutor): Promise<Trainer> {
  const optimizer = adamW();
  const options = { ...bounds, objective, precision: "f32", optimizerOf: () => optimizer } as const;
  const trainer = await Trainer.open(model, noStore, executor, options);
  initialiseWeights(model, allOf(trainer), seed);
  return trainer;
}

/** The states, and places for weights that the objective does not reach. */
function allOf({ states }: Trainer): Record<string, Float32Array> {
  const all: Record<string, Float32Array> = { ...states };
  for (const [name, { rows, columns }] of model.parameters) {
    all[`weights.${name}`] ??= new Float32Array(rows * columns);
  }
  return all;
}

/** Asks a model with the weights that seed 7, or another, makes. */
export async function ask<N extends string>(question: Question<N>, batch: MicroBatch, seed = 7): Promise<Float32Array> {
  await using teacher = await open(nextToken(), seed);
  const store = liveStore(model, teacher.states, noStore);
  await using scorer = await Scorer.open(model, store, referenceExecutor, question, bounds);
  const [values] = Object.values<Float32Array>(await scorer.ask(batch));
  return values.slice();
}

export interface Document {
  readonly question: readonly number[];
  readonly answer: readonly number[];
}

/** Rows that predict the answers' ids reach the head; `documentOf` tells whose each is. */
export function batchOf(documents: readonly Document[]): { batch: MicroBatch; documentOf: number[] } {
  const rows = documents.flatMap(({ question, answer }, document) => {
    const all = [...question, ...answer];
    return all.slice(0, -1).map((id, position) => ({
      id,
      position,
      document,
      target: position + 1 < question.length ? -1 : all[position + 1],
    }));
  });
  const heads = [...rows.keys()].filter((row) => rows[row].target >= 0);
  const batch: MicroBatch = {
    ids: Int32Array.from(rows, ({ id }) => id),
    positions: Int32Array.from(rows, ({ position }) => position),
    starts: Int32Array.from(rows, ({ position }, row) => row - position),
    outputRows: Int32Array.from(heads),
    targets: Int32Array.from(heads, (row) => rows[row].target),
    weights: new Float32Array(heads.length).fill(1),
  };
  return { batch, documentOf: heads.map((row) => rows[row].document) };
}

export const PAIRS: readonly (readonly [Document, Document])[] = [
  [
    { question: [1, 2], answer: [5, 6, 7] },
    { question: [1, 2], answer: [8, 9] },
  ],
  [
    { question: [3, 4, 1], answer: [6, 5] },
    { question: [3, 4, 1], answer: [9, 9, 8] },
  ],
];

/** Each pair an element, the first answer the chosen one; all rows of answers reach the head, or their last alone. */
export function pairBatch(pairs: typeof PAIRS, rows: "all" | "last" = "all"): MicroBatch {
  const { batch, documentOf } = batchOf(pairs.flat());
  const kept = [...documentOf.keys()].filter((row) => rows === "all" || documentOf[row] !== documentOf[row + 1]);
  return {
    ...batch,
    outputRows: Int32Array.from(kept, (row) => batch.outputRows[row]),
    targets: Int32Array.from(kept, (row) => batch.targets[row]),
    elements: Int32Array.from(kept, (row) => documentOf[row] >> 1),
    first: Float32Array.from(kept, (row) => 1 - (documentOf[row] % 2)),
    weights: new Float32Array(pairs.length).fill(1),
  };
}

/** Each answer an element. */
function answerBatch(documents: readonly Document[]): MicroBatch {
  const { batch, documentOf } = batchOf(documents);
  return { ...batch, elements: Int32Array.from(documentOf), weights: new Float32Array(documents.length).fill(1) };
}

export const withReference = async (batch: MicroBatch, name = "reference"): Promise<MicroBatch> => ({
  ...batch,
  [name]: await ask(logProbabilities, batch),
});

const [GOOD, BAD] = [PAIRS.map(([first]) => first), PAIRS.map(([, second]) => second)];
export const drawn = [...GOOD, ...BAD];
/** 1 for good answers, -1 for bad ones: of each answer, or of each row. */
const advantagesOf = (documents: readonly Document[], each: "answer" | "row"): Float32Array => {
  const { documentOf } = batchOf(documents);
  const list = each === "answer" ? [...documents.keys()] : documentOf;
  return Float32Array.from(list, (document) => (document < GOOD.length ? 1 : -1));
};
const policyBatch = async (each: "answer" | "row"): Promise<MicroBatch> => ({
  ...(await withReference(await withReference(each === "row" ? batchOf(drawn).batch : answerBatch(drawn)), "old")),
  advantages: advantagesOf(drawn, each),
});
const meanAdvantage = (each: "answer" | "row"): number => {
  const list = advantagesOf(drawn, each);
  return list.reduce((a, b) => a + b, 0) / list.length;
};

export interface Case {
  readonly objective: Objective;
  readonly batch: () => Promise<MicroBatch> | MicroBatch;
  /** Before the first step. */
  readonly first?: number;
  /** What the loss falls below in twenty steps. */
  readonly below: number;
}

export const cases: Readonly<Record<string, Case>> = {
  dpo: { objective: dpo(), batch: () => withReference(pairBatch(PAIRS)), first: Math.LN2, below: 0.5 },
  "dpo with noisy pairs": {
    objective: dpo({ flipped: 0.1 }),
    batch: () => withReference(pairBatch(PAIRS)),
    first: Math.LN2,
    below: 0.55,
  },
  "ipo of means": {
    objective: ipo({ beta: 0.2, averaged: true }),
    batch: () => withReference(pairBatch(PAIRS)),
    first: 2.5 ** 2,
    below: 1,
  },
  hinge: { objective: hinge(), batch: () => withReference(pairBatch(PAIRS)), first: 1, below: 0.6 },
  simpo: { objective: simpo(), batch: () => pairBatch(PAIRS), below: 0.2 },
  orpo: { objective: orpo(), batch: () => pairBatch(PAIRS), below: 1 },
  kto: {
    objective: kto(),
    batch: async () => ({
      ...(await withReference(answerBatch(drawn))),
      desirable: Float32Array.from(drawn, (_, i) => (i < GOOD.length ? 1 : 0)),
      kl: Float32Array.of(-0.1),
    }),
    first: 0.5,
    below: 0.42,
  },
  reward: { objective: reward(), batch: () => pairBatch(PAIRS, "last"), first: Math.LN2, below: 0.2 },
  "reward with margins": {
    objective: reward({ margins: true, centering: 0.01 }),
    batch: () => ({ ...pairBatch(PAIRS, "last"), margin: Float32Array.of(0, 1) }),
    first: (Math.LN2 + Math.log(1 + Math.E)) / 2,
    below: 0.4,
  },
  grpo: { objective: grpo({ kl: 0.04 }), batch: () => policyBatch("row"), first: -meanAdvantage("row"), below: -0.15 },
  "grpo by answers": {
    objective: grpo({ answerTokens: 2 }),
    batch: async () => ({ ...(await policyBatch("answer")), advantages: advantagesOf(drawn, "row") }),
    first: (-meanAdvantage("row") * advantagesOf(drawn, "row").length) / 2 / drawn.length,
    below: -0.15,
  },
  gspo: { objective: gspo(), batch: () => policyBatch("answer"), first: 0, below: -0.15 },
  rloo: { objective: rloo(), batch: () => policyBatch("answer"), below: -1 },
  ppo: {
    objective: ppo({ valueWeight: 1, valueRange: 10 }),
    batch: async () => {
      const batch = await policyBatch("row");
      const rows = batch.outputRows.length;
      return { ...batch, oldValues: new Float32Array(rows), returns: batch.advantages };
    },
    first: -meanAdvantage("row") + 0.5,
    below: 0.1,
  },
  distill: {
    objective: distill({ alpha: 1, temperature: 1 }),
    batch: async () => {
      const { batch } = batchOf(GOOD);
      const teacher = await ask(logits, batch, 8);
      return { ...batch, teacher: teacher.map((logit) => 20 * logit) };
    },
    below: 0.2,
  },
  contrastive: {
    objective: contrastive({ pairs: 2, temperature: 1, symmetric: true }),
    batch: () => pairBatch(PAIRS),
    below: 0.2,
  },
  "masked tokens": {
    objective: maskedToken(),
    batch: () => {
      // the first token tells the last one, and the other way round: only who sees both sides knows both
      const ids = [1, 0, 5, 2, 0, 6, 0, 3, 7, 0, 3, 8];
      return {
        ids: Int32Array.from(ids),
        positions: Int32Array.from(ids, (_, i) => i % 3),
        starts: Int32Array.from(ids, (_, i) => i - (i % 3)),
        ends: Int32Array.from(ids, (_, i) => i - (i % 3) + 3),
        outputRows: Int32Array.of(1, 4, 6, 9),
        targets: Int32Array.of(11, 12, 13, 14),
        weights: new Float32Array(4).fill(1),
      };
    },
    below: 0.5,
  },
};
