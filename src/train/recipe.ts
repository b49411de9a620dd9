// A recipe: all that a run of training is told, as one JSON file. Checked at the door; errors name the field. What a
// recipe leaves out has the value that stands here, and a run keeps its recipe with all of them written out.
// Not here: what is done with it (run.ts), where a run's files are (store/runs.ts).
import * as z from "zod";
import { UsageError, show } from "../base/errors.ts";
import { parseJsonc } from "./jsonc.ts";
import {
  type ObjectiveName,
  learnsFromAnswers,
  objectiveSettings,
  stageNames,
  stageObjectives,
} from "./stages/settings.ts";
import { type DecayName, type Schedule, decays, rateAt } from "./schedule.ts";

const count = z.int("expected a whole number").min(1, "expected a whole number from 1 on");
const countOrNone = z.int("expected a whole number").min(0, "expected a whole number from 0 on");
const positive = z.number("expected a number").gt(0, "expected a number above 0");
const share = z
  .number("expected a number")
  .min(0, "expected a number from 0 to 1")
  .max(1, "expected a number from 0 to 1");
const text = z.string("expected a text").min(1, "expected a text");

const common = { rate: positive, weightDecay: z.number("expected a number").min(0, "expected 0 or more").default(0) };
const beta = share.lt(1, "expected a number below 1");
const optimizer = z.discriminatedUnion(
  "name",
  [
    z.strictObject({
      name: z.literal("adamw"),
      ...common,
      beta1: beta.default(0.9),
      beta2: beta.default(0.95),
      epsilon: positive.default(1e-8),
    }),
    z.strictObject({ name: z.literal("muon"), ...common, momentum: beta.default(0.95) }),
    z.strictObject({ name: z.literal("lion"), ...common, beta1: beta.default(0.9), beta2: beta.default(0.99) }),
    z.strictObject({
      name: z.literal("sgd"),
      ...common,
      momentum: beta.default(0),
      nesterov: z.boolean("expected true or false").default(false),
    }),
    z.strictObject({ name: z.literal("adafactor"), ...common, decay: z.number("expected a number").default(-0.8) }),
    z.strictObject({ name: z.literal("frozen") }),
  ],
  { error: "expected adamw, muon, lion, sgd, adafactor or frozen" },
);
/** One group's optimizer; `rate` is its learning rate at the schedule's peak. */
export type OptimizerRecipe = z.output<typeof optimizer>;

const schema = z
  .strictObject({
    stage: z.enum(stageNames, { error: `expected ${stageNames.join(", ")}` }),
    /** What the stage makes smaller, where it can be one of several. */
    objective: objectiveSettings.optional(),
    /** What a `config.json` would say of a new model, or the name or path of one that is trained further. */
    model: z.union([text, z.record(z.string(), z.unknown())], { error: "expected a config, a name or a path" }),
    /** A folder with tokenizer.json; for new models. */
    tokenizer: text.optional(),
    /** Instead of the model's own chat template: the name of a built-in one ("chatml", ...) or Jinja text. */
    template: text.optional(),
    /** A folder of prepared data. */
    data: text,
    /** Of stages that learn from the model's own answers: prompts that are answered to see how well it does. */
    heldOut: text.optional(),
    /** What an answer is worth: a module's path, a built-in function's name, or one with what it is told. */
    rewards: z
      .union([text, z.strictObject({ from: text, options: z.record(z.string(), z.unknown()) })], {
        error: "expected a path, a name, or { from, options }",
      })
      .optional(),
    /** Answers that the model gives in a step. */
    rollout: z
      .strictObject({
        /** Prompts of a step, and replies to each. */
        prompts: count,
        replies: count,
        /** Most tokens of a reply. */
        tokens: count,
        temperature: positive.default(1),
        /** How often a step's replies are learnt, and in how many parts each time; each part is an update. */
        iterations: count.default(1),
        miniBatches: count.default(1),
        /** Replies that are drawn at once, at most. */
        sequences: count.max(1024, "expected at most 1024").default(256),
      })
      .optional(),
    steps: count.optional(),
    /** Instead of steps: tokens read in all, rounded up to whole steps. */
    tokens: count.optional(),
    /** Instead of steps: how often all training data is read. */
    epochs: positive.optional(),
    batch: z
      .strictObject({
        /** Longest piece of a document, in tokens; longer documents are cut into pieces. */
        window: count,
        /** Most tokens in memory at once: a micro-batch. */
        rows: count,
        /** Tokens of a step: a multiple of `rows`; left out: these. */
        tokens: count.optional(),
      })
      .transform(({ tokens, ...batch }) => ({ ...batch, tokens: tokens ?? batch.rows })),
    /** Instead of weights of the model, which stay as they are stored: low-rank changes beside its projections. */
    adapter: z
      .strictObject({
        kind: z.enum(["lora", "dora"], { error: "expected lora or dora" }).default("lora"),
        rank: count.default(16),
        /** What the adapter adds is multiplied by alpha / rank, or where it is rank-stabilised by alpha / sqrt(rank). */
        alpha: positive.default(32),
        rankStabilised: z.boolean("expected true or false").default(false),
        /** Projections, by whole names or their ends, as here or as transformers has them; default: all. */
        targets: z.array(text, "expected a list of names").min(1, "expected a name at least").optional(),
      })
      .optional(),
    /** Of mixtures: what keeps their experts evenly busy (expert-balance.ts). */
    experts: z
      .strictObject({
        /** What the load-balancing loss counts beside the stage's. */
        balance: z.number("expected a number").min(0, "expected 0 or more").default(0),
        /** How far a step moves each selection bias, of models that have them. */
        biasRate: z.number("expected a number").min(0, "expected 0 or more").default(0),
      })
      .optional(),
    optimizer: z.strictObject({
      /** Of layers, or of an adapter. */
      matrices: optimizer,
      /** All that has no row of its own below. */
      others: optimizer,
      embeddings: optimizer.optional(),
      head: optimizer.optional(),
      /** Gains and biases. */
      vectors: optimizer.optional(),
    }),
    schedule: z
      .strictObject({
        warmup: countOrNone.default(0),
        decay: z
          .enum(Object.keys(decays) as [DecayName], { error: `expected ${Object.keys(decays).join(", ")}` })
          .default("linear"),
        decaySteps: countOrNone.optional(),
        least: share.default(0),
      })
      .prefault({}),
    /** Longest gradient that is applied as it is; a longer one is made as long. 0: as long as they come. */
    clip: z.number("expected a number").min(0, "expected 0 or more").default(1),
    guard: z
      .strictObject({
        /** A step is left out when its loss is above the running mean by more than so many deviations. */
        deviations: positive.default(8),
        /** After so many steps left out in a row the run stops. */
        patience: count.default(10),
      })
      .prefault({}),
    seed: countOrNone.default(0),
    /** "fast": products in bf16 with f32 sums and f32 weights where the machine is faster so; "f32": nothing is rounded. */
    precision: z.enum(["f32", "fast"], { error: "expected f32 or fast" }).default("fast"),
    /** Every so many steps; 0: never. */
    validate: z.strictObject({ every: countOrNone }).prefault({ every: 100 }),
    checkpoint: z
      .strictObject({
        every: countOrNone.default(200),
        /** How many stay; 0: all. */
        keep: countOrNone.default(2),
        /** What weights are written as for other programs; resuming uses all 32 bits either way. */
        type: z.enum(["f32", "bf16"], { error: "expected f32 or bf16" }).default("f32"),
      })
      .prefault({}),
    samples: z
      .strictObject({
        every: countOrNone.default(0),
        prompts: z.array(z.string("expected a text"), "expected a list of texts").default([""]),
        tokens: count.default(64),
        temperature: z.number("expected a number").min(0, "expected 0 or more").default(0.7),
        /** Look up what they have word for word from the training documents. */
        copied: z.boolean("expected true or false").default(true),
      })
      .prefault({}),
    /** Questions with choices, a JSON object a line: prompt, choices, answer (the right one's index). */
    probes: z.strictObject({ file: text, every: count.default(100) }).optional(),
  })
  .superRefine((recipe, context) => {
    const { stage, objective, batch, model, tokenizer, steps, tokens, epochs, adapter, optimizer } = recipe;
    const wrong = (path: string[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const known: readonly ObjectiveName[] = stageObjectives[stage];
    if (objective !== undefined && !known.includes(objective.name)) {
      const expected = known.length === 0 ? `none, since ${stage} has one` : known.join(", ");
      wrong(["objective", "name"], `expected ${expected}`);
    }
    const answers = learnsFromAnswers(stage);
    for (const field of ["rollout", "rewards"] as const) {
      if (answers && recipe[field] === undefined) wrong([field], `expected what ${stage} needs to learn from answers`);
    }
    for (const field of ["rollout", "rewards", "heldOut"] as const) {
      if (!answers && recipe[field] !== undefined) wrong([field], `expected none, since ${stage} draws no answers`);
    }
    if ([steps, tokens, epochs].filter((length) => length !== undefined).length !== 1) {
      wrong(["steps"], "expected exactly one of steps, tokens and epochs");
    }
    if (batch.tokens % batch.rows !== 0) {
      wrong(["batch", "tokens"], `expected a multiple of batch.rows, ${batch.rows}`);
    }
    if (batch.window > batch.rows) wrong(["batch", "window"], `expected at most batch.rows, ${batch.rows}`);
    const vectors = optimizer.vectors === undefined ? "others" : "vectors";
    if (optimizer[vectors]?.name === "muon") {
      wrong(["optimizer", vectors, "name"], "expected another one, since muon is for matrices and gains are vectors");
    }
    for (const [group, row] of Object.entries(optimizer)) {
      if (typeof model === "object" && row?.name === "frozen") {
        wrong(["optimizer", group, "name"], "expected an optimizer, since a new model has no weights to keep");
      }
    }
    if (typeof model === "object" && adapter !== undefined) {
      wrong(["model"], "expected the name or path of the model that the adapter is for");
    }
    if (adapter !== undefined && optimizer.matrices.name === "frozen") {
      wrong(["optimizer", "matrices", "name"], "expected the optimizer of the adapter");
    }
    if (typeof model === "object" && tokenizer === undefined) {
      wrong(["tokenizer"], "expected the tokenizer of the new model");
    }
    if (typeof model === "string" && tokenizer !== undefined) {
      wrong(["tokenizer"], "expected none, since the model has its own");
    }
  });

export type Recipe = Readonly<z.output<typeof schema>>;

/**
 * A recipe from its file's text, with `settings` such as "batch.rows=1024" put over it. Throws FormatError for what is
 * no JSON, UsageError for what is no recipe, naming the field.
 */
export function parseRecipe(file: string, content: string, settings: readonly string[] = []): Recipe {
  const value = parseJsonc(file, content);
  for (const setting of settings) applySetting(value, setting);
  fillInObjective(value);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw faultOf(file, parsed.error.issues[0], value);
}

/** Where a stage has several objectives and the recipe names none, it is the first. */
function fillInObjective(recipe: unknown): void {
  const { stage, objective = {} } = recipe as Readonly<Record<string, unknown>>;
  if (typeof stage !== "string" || !Object.hasOwn(stageObjectives, stage)) return;
  const [first] = stageObjectives[stage as Recipe["stage"]] as readonly ObjectiveName[];
  if (first === undefined || typeof objective !== "object" || objective === null || "name" in objective) return;
  (recipe as Record<string, unknown>)["objective"] = { name: first, ...objective };
}

function applySetting(recipe: unknown, setting: string): void {
  const at = setting.indexOf("=");
  const path = setting.slice(0, at).split(".");
  if (at < 1 || path.includes("")) {
    throw new UsageError(`--set is ${show(setting)}, expected KEY=VALUE, as batch.rows=1024.`, { field: "set" });
  }
  let place: unknown = recipe;
  for (const [i, key] of path.entries()) {
    if (typeof place !== "object" || place === null || ["__proto__", "constructor", "prototype"].includes(key)) {
      throw new UsageError(`--set ${path.join(".")}: the recipe has no fields in ${path.slice(0, i).join(".")}.`, {
        field: "set",
      });
    }
    const fields = place as Record<string, unknown>;
    if (i === path.length - 1) fields[key] = valueOf(setting.slice(at + 1));
    else if (!Object.hasOwn(fields, key)) fields[key] = {};
    place = fields[key];
  }
}

/** JSON where it is some, else the text itself: `true`, `0.5`, `["a"]`, `some/folder`. */
function valueOf(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}

type Issue = z.core.$ZodIssue;

function faultOf(file: string, issue: Issue, recipe: unknown): UsageError {
  if (issue.code === "unrecognized_keys") {
    const field = [...issue.path, issue.keys[0]].join(".");
    return new UsageError(`${file}: ${field} is no field of a recipe.`, { field, hint: "See docs/training.md." });
  }
  const field = issue.path.join(".");
  const found = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], recipe);
  const state = found === undefined ? "is missing" : `is ${show(found)}`;
  return new UsageError(`${file}: ${field || "the recipe"} ${state}: ${issue.message}.`, { field });
}

/** Steps of the whole run, where the data has `tokensOfEpoch`. */
export function stepsOf({ steps, tokens, epochs, batch }: Recipe, tokensOfEpoch: number): number {
  return steps ?? Math.ceil((tokens ?? epochs! * tokensOfEpoch) / batch.tokens);
}

/** The run's schedule. Throws UsageError where warm-up and decay are longer than the run. */
export function scheduleOf({ schedule }: Recipe, steps: number): Schedule {
  const { decaySteps, ...others } = schedule;
  const whole = { ...others, steps, ...(decaySteps !== undefined && { decaySteps }) };
  rateAt(whole, 0);
  return whole;
}
