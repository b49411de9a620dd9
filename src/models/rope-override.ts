// Another rope scaling than a model's file says, chosen when it is loaded: the facts of the file as they would be if it
// said so. The layers that slide keep their rope. Not here: what scalings compute (nn/rope-scaling.ts).
import { UnsupportedError, UsageError, show } from "../base/errors.ts";
import { Config } from "./config.ts";
import type { Model, ModelFacts } from "./model.ts";
import { readModel } from "./registry.ts";
import { ROPE_DIVISORS, ropeSettings } from "./rope-config.ts";

/** The scalings that need no more than a factor. */
export const ropeChoices = ["none", "linear", "dynamic", "yarn"] as const;

export interface RopeChoice {
  /** "none": the rope as it was before its file stretched it. */
  readonly type: (typeof ropeChoices)[number];
  /** How many times longer the window becomes; 1 or more, and 1 for "none". */
  readonly factor: number;
  /** The window that is stretched, in tokens. Default: what the file says it was before scaling, else its window. */
  readonly originalWindow?: number | undefined;
}

/** As `readModel`, with that scaling. Throws UsageError for one that is none, UnsupportedError for a model without a rope. */
export function readScaledModel(facts: ModelFacts, choice: RopeChoice): Model {
  const { type, factor } = choice;
  if (!ropeChoices.includes(type) || !Number.isFinite(factor) || factor < 1 || (type === "none" && factor !== 1)) {
    const hint = `There are: ${ropeChoices.join(", ")}, each but none with a factor above 1.`;
    throw new UsageError(`rope is ${show(type)} by ${show(factor)}, which is no rope scaling.`, {
      field: "rope",
      hint,
    });
  }
  const own = readModel(facts);
  const scaled = readModel(facts.kind === "hf" ? hfFacts(facts, choice) : ggufFacts(facts, choice));
  if (factor !== 1 && scaled.window === own.window && JSON.stringify(scaled.ropes) === JSON.stringify(own.ropes)) {
    throw new UnsupportedError(`${own.family} has no rope that could be scaled: ${facts.file}.`);
  }
  return scaled;
}

const WINDOW = "max_position_embeddings";
const ORIGINAL = `original_${WINDOW}`;

function hfFacts(facts: ModelFacts, { type, factor, originalWindow }: RopeChoice): ModelFacts {
  const config = new Config(facts.file, facts.config);
  const settings = ropeSettings(config);
  const stated = [settings, config].find((place) => place?.find(ORIGINAL) !== undefined)?.size(ORIGINAL);
  const original = originalWindow ?? stated ?? config.size(WINDOW);
  const scaling = { rope_type: type === "none" ? "default" : type, factor, [ORIGINAL]: original };
  const given = facts.config.rope_parameters as Readonly<Record<string, unknown>> | undefined | null;
  const changed = (old: unknown): object => ({ ...kept(old), ...scaling });
  const parameters =
    given?.full_attention === undefined ? changed(given) : { ...given, full_attention: changed(given.full_attention) };
  return {
    ...facts,
    config: {
      ...facts.config,
      [WINDOW]: Math.floor(original * factor),
      ...(given ? { rope_parameters: parameters } : { rope_scaling: changed(facts.config.rope_scaling) }),
    },
  };
}

/** Base and rotated part; what else was said of the old scaling goes. */
function kept(settings: unknown): Readonly<Record<string, unknown>> {
  const names = ["rope_theta", "partial_rotary_factor"];
  return Object.fromEntries(Object.entries(settings ?? {}).filter(([name]) => names.includes(name)));
}

function ggufFacts(facts: ModelFacts, { type, factor, originalWindow }: RopeChoice): ModelFacts {
  const prefix = `${String(facts.config["general.architecture"])}.`;
  const config = new Config(facts.file, facts.config, prefix);
  const [scaling, window] = ["rope.scaling.", "context_length"];
  const original = originalWindow ?? config.size(`${scaling}original_${window}`, config.size(window));
  const entries = Object.entries(facts.config).filter(
    ([key]) => !key.startsWith(prefix + scaling) && key !== `${prefix}rope.scale_linear`,
  );
  return {
    ...facts,
    tensors: new Map([...facts.tensors].filter(([name]) => !ROPE_DIVISORS.test(name))),
    config: {
      ...Object.fromEntries(entries),
      [`${prefix}${scaling}type`]: type,
      [`${prefix}${scaling}factor`]: factor,
      [`${prefix}${scaling}original_${window}`]: original,
      [prefix + window]: Math.floor(original * factor),
    },
  };
}
