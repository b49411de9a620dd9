// The hinge loss over a reference (SLiC, Zhao et al. 2023): pairs whose margin is wide enough teach no more.
import { relu, scale, subtract } from "../../graph/index.ts";
import { type MarginOptions, marginObjective } from "./margin.ts";
import type { Objective } from "./objective.ts";

/** max(0, 1 - β h). */
export const hinge = (options: MarginOptions = {}): Objective =>
  marginObjective("hinge", options, (h, beta) => relu(subtract(1, scale(h, beta))));
