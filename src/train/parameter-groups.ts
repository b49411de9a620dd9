// Which weight is trained by which optimizer, as a recipe says it: by groups.
import type { Model } from "../models/index.ts";
import { isHead } from "./heads.ts";
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
  return parameter.startsWith("layers.") ? "matrices" : "embeddings";
}

/** The optimizer of each parameter by name; undefined: it is frozen. Heads that an objective brings are of the others. */
export function optimizersOf(
  { optimizer: groups }: Pick<Recipe, "optimizer">,
  { parameters }: Pick<Model, "parameters">,
): (parameter: string) => Optimizer | undefined {
  const made = new Map<OptimizerRecipe, Optimizer | undefined>();
  const byName = new Map<string, Optimizer | undefined>();
  for (const [name, { vector }] of parameters) {
    const row = groups[groupOf(name, vector)] ?? groups.others;
    if (!made.has(row)) made.set(row, optimizerOf(row));
    byName.set(name, made.get(row));
  }
  const others = made.get(groups.others) ?? optimizerOf(groups.others);
  return (parameter) => (isHead(parameter) ? others : byName.get(parameter));
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
    case "frozen":
      return undefined;
  }
  return row satisfies never;
}
