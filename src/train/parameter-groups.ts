// Which weight is trained by which optimizer, as a recipe says it: by groups.
import type { Model } from "../models/index.ts";
import { adapterWeight } from "../nn/index.ts";
import { isHead } from "./heads.ts";
import { adafactor } from "./optimizers/adafactor.ts";
import { adamW } from "./optimizers/adamw.ts";
import { lion } from "./optimizers/lion.ts";
import { muon } from "./optimizers/muon.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { sgd } from "./optimizers/sgd.ts";
import type { OptimizerRecipe, Recipe } from "./recipe.ts";

type Group = keyof Recipe["optimizer"];

function groupOf(parameter: string, isVector: boolean): Group {
  if (isVector) return "vectors";
  if (parameter === "head.weight") return "head";
  return /(^|\.)layers\.|^(tokenHead|pooler|classifier)\./.test(parameter) ? "matrices" : "embeddings";
}

/** What of an adapter is trained. */
const ADAPTER_GROUPS = { a: "matrices", b: "matrices", magnitude: "vectors" } as const satisfies Record<string, Group>;

/**
 * The optimizer of each parameter by name; undefined: it is frozen, as all of the model is beside an adapter. Heads that an
 * objective brings are of the others.
 */
export function optimizersOf(
  { optimizer: groups, adapter }: Pick<Recipe, "optimizer" | "adapter">,
  { parameters }: Pick<Model, "parameters">,
): (parameter: string) => Optimizer | undefined {
  const made = new Map<OptimizerRecipe, Optimizer | undefined>();
  const ofGroup = (group: Group): Optimizer | undefined => {
    const row = groups[group] ?? groups.others;
    if (!made.has(row)) made.set(row, optimizerOf(row));
    return made.get(row);
  };
  if (adapter !== undefined) {
    return (parameter) => {
      if (isHead(parameter)) return ofGroup("others");
      const part = adapterWeight(parameter)?.part;
      return part === undefined || part === "squares" ? undefined : ofGroup(ADAPTER_GROUPS[part]);
    };
  }
  const byName = new Map([...parameters].map(([name, { vector }]) => [name, ofGroup(groupOf(name, vector))]));
  return (parameter) => (isHead(parameter) ? ofGroup("others") : byName.get(parameter));
}

function optimizerOf(row: OptimizerRecipe): Optimizer | undefined {
  switch (row.name) {
    case "adamw":
      return adamW(row);
    case "muon":
      return muon(row);
    case "lion":
      return lion(row);
    case "sgd":
      return sgd(row);
    case "adafactor":
      return adafactor(row);
    case "frozen":
      return undefined;
  }
  return row satisfies never;
}
