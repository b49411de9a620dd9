// What a recipe may say of a stage's objective: names and numbers, checked at the door. Not here: what a stage does with
// it (registry.ts), the losses themselves (objectives/).
import * as z from "zod";

const positive = z.number("expected a number").gt(0, "expected a number above 0");
const fromZero = z.number("expected a number").min(0, "expected 0 or more");
const count = z.int("expected a whole number").min(0, "expected a whole number from 0 on");
const flag = z.boolean("expected true or false");

/** One row an objective that has settings; the settings' meaning stands with the objective of that name. */
const clipRange = { low: positive.default(0.2), high: positive.default(0.2) };
const objectives = [
  z.strictObject({ name: z.literal("next") }),
  z.strictObject({
    name: z.literal("mlm"),
    /** Of the tokens, those that are to be found. */
    share: positive.lt(1, "expected a number below 1").default(0.15),
  }),
  z.strictObject({
    name: z.literal("dpo"),
    beta: positive.default(0.1),
    averaged: flag.default(false),
    flipped: fromZero.lt(0.5, "expected a number below 0.5").default(0),
    robust: flag.default(false),
  }),
  z.strictObject({ name: z.literal("ipo"), beta: positive.default(0.1), averaged: flag.default(true) }),
  z.strictObject({ name: z.literal("hinge"), beta: positive.default(0.1), averaged: flag.default(false) }),
  z.strictObject({ name: z.literal("simpo"), beta: positive.default(2), gamma: fromZero.default(1) }),
  z.strictObject({ name: z.literal("orpo"), weight: positive.default(0.1) }),
  z.strictObject({
    name: z.literal("kto"),
    beta: positive.default(0.1),
    desirable: positive.default(1),
    undesirable: positive.default(1),
  }),
  z.strictObject({ name: z.literal("reward"), centering: fromZero.default(0) }),
  z.strictObject({ name: z.literal("grpo"), ...clipRange, kl: fromZero.default(0) }),
  z.strictObject({
    name: z.literal("dapo"),
    low: positive.default(0.2),
    high: positive.default(0.28),
    kl: fromZero.default(0),
    /** Share of the longest reply over which, at its end, the reward falls by up to 1. */
    overlong: fromZero.max(1, "expected a number from 0 to 1").default(0.2),
  }),
  z.strictObject({ name: z.literal("drgrpo"), ...clipRange, kl: fromZero.default(0) }),
  z.strictObject({ name: z.literal("gspo"), low: positive.default(3e-4), high: positive.default(4e-4) }),
  z.strictObject({ name: z.literal("rloo"), kl: fromZero.default(0) }),
  z.strictObject({
    name: z.literal("ppo"),
    ...clipRange,
    valueRange: positive.default(0.2),
    valueWeight: positive.default(0.1),
    kl: fromZero.default(0.05),
    gamma: positive.max(1, "expected a number above 0, at most 1").default(1),
    lambda: positive.max(1, "expected a number above 0, at most 1").default(0.95),
  }),
  z.strictObject({
    name: z.literal("distill"),
    /** Name or path of the bigger model. */
    teacher: z.string("expected a name or a path").min(1, "expected a name or a path"),
    alpha: positive.max(1, "expected a number above 0, at most 1").default(0.5),
    temperature: positive.default(2),
    reverse: flag.default(false),
    /** How many of the teacher's likeliest tokens count; 0: all. */
    topK: count.default(0),
  }),
  z.strictObject({
    name: z.literal("contrastive"),
    /** Of every micro-batch. */
    pairs: count.min(2, "expected a whole number from 2 on"),
    temperature: positive.default(0.05),
    symmetric: flag.default(false),
    /** Whether every query brings a text that does not belong to it. */
    negatives: flag.default(false),
  }),
] as const;

export const objectiveSettings = z.discriminatedUnion("name", objectives, {
  error: `expected ${objectives.map(({ shape }) => shape.name.value).join(", ")}`,
});
export type ObjectiveSettings = z.output<typeof objectiveSettings>;
export type ObjectiveName = ObjectiveSettings["name"];

const policyNames = ["grpo", "dapo", "drgrpo", "gspo", "rloo", "ppo"] as const satisfies readonly ObjectiveName[];
export type PolicyName = (typeof policyNames)[number];
export type PolicySettings = Extract<ObjectiveSettings, { readonly name: PolicyName }>;
/** Whether an objective learns from rewards for the model's own answers. */
export const isPolicy = (settings: ObjectiveSettings): settings is PolicySettings =>
  (policyNames as readonly ObjectiveName[]).includes(settings.name);

/** The objectives of each stage, of which the first is taken where a recipe names none; a stage with one way has none. */
export const stageObjectives = {
  pretrain: ["next", "mlm"],
  sft: [],
  seq2seq: [],
  dpo: ["dpo", "ipo", "hinge", "simpo", "orpo", "kto"],
  reward: ["reward"],
  grpo: ["grpo", "dapo", "drgrpo", "gspo", "rloo"],
  ppo: ["ppo"],
  distill: ["distill"],
  embed: ["contrastive"],
} as const satisfies Record<string, readonly ObjectiveName[]>;
export type StageName = keyof typeof stageObjectives;
export const stageNames = Object.keys(stageObjectives) as [StageName, ...StageName[]];

/** Whether a stage draws answers from the model and learns from what they are worth. */
export const learnsFromAnswers = (stage: StageName): boolean =>
  stageObjectives[stage].some((name) => (policyNames as readonly ObjectiveName[]).includes(name));
