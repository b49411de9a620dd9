// What a recipe says of an adapter → which projections have one, and of what form. Not here: what it is at first
// (initial-adapter.ts), how it is saved (peft-adapter.ts), the formula (nn/lora.ts).
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { projectionsOf } from "../models/adapter.ts";
import type { Model } from "../models/index.ts";
import type { LoraSettings } from "../nn/index.ts";
import type { Recipe } from "./recipe.ts";

export interface AdapterPlan {
  readonly settings: LoraSettings;
  /** Those that have an adapter, in the order of the forward pass. */
  readonly projections: readonly string[];
}

/** Throws UsageError for a target that is no projection of the model. */
export function adapterOf(
  { kind, rank, alpha, rankStabilised, targets }: NonNullable<Recipe["adapter"]>,
  model: Model,
): AdapterPlan {
  const modules = new Map(model.weightRows.map(({ parameter, hf }) => [parameter, hf.replace(/\.weight$/, "")]));
  const all = projectionsOf(model);
  const isNamed = (projection: string, target: string): boolean =>
    [projection, modules.get(`${projection}.weight`)!].some((name) => name === target || name.endsWith(`.${target}`));
  for (const target of targets ?? []) {
    if (all.some((projection) => isNamed(projection, target))) continue;
    const parts = [...new Set(all.map((name) => name.replace(/^layers\.\d+\./, "")))];
    throw new UsageError(
      `adapter.targets names ${target}, expected projections of ${model.family}: ${parts.join(", ")}.`,
      {
        field: "adapter.targets",
        hint: "Whole names or their ends, as here or as transformers has them.",
      },
    );
  }
  const projections = all.filter((name) => targets?.some((target) => isNamed(name, target)) ?? true);
  const adapted = new Set(projections);
  for (const name of projections) {
    const module = modules.get(`${name}.weight`);
    const left = all.find((other) => !adapted.has(other) && modules.get(`${other}.weight`) === module);
    if (kind !== "dora" || left === undefined) continue;
    throw new UnsupportedError(
      `A DoRA of ${name} without ${left} cannot be saved: files of ${model.family} have both in one.`,
      {
        hint: "Name all of them in adapter.targets, or take kind lora.",
      },
    );
  }
  return {
    settings: { rank, alpha, rankStabilised, magnitude: kind === "dora", adapts: (name) => adapted.has(name) },
    projections,
  };
}
