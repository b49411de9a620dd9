// Identity preference optimisation (Azar et al. 2023, equation 17): the margin is drawn to a size, not ever further.
import { add, multiply } from "../../graph/index.ts";
import { type MarginOptions, marginObjective } from "./margin.ts";
import type { Objective } from "./objective.ts";

/** (h - 1 / (2 β))². */
export const ipo = (options: MarginOptions = {}): Objective =>
  marginObjective("ipo", options, (h, beta) => {
    const off = add(h, -1 / (2 * beta));
    return multiply(off, off);
  });
