// The cpu executor: kernels in machine code or WebAssembly SIMD, N threads over one shared memory per open model. Which
// kernel sets there are: tiers.ts. What opening does: open-model.ts.
import { environment } from "#platform";
import type { Executor } from "../executor.ts";
import { openModel } from "./open-model.ts";
import { placeModel } from "./place-model.ts";
import { type CpuTier, chooseTier, parseTier } from "./tiers.ts";

export type { CpuTier } from "./tiers.ts";

/** An executor of the best tier of this host, or of the one asked for; throws UnsupportedError when it is not there. */
export function createCpuExecutor({ tier: asked }: { tier?: CpuTier } = {}): Executor {
  const tier = chooseTier(asked);
  return {
    name: "cpu",
    tier: tier.name,
    plan: async (store, graphs, options = {}) => (await placeModel(store, graphs, options, tier)).use,
    open: (store, graphs, options) => openModel(tier, store, graphs, options),
  };
}

/** The tier that `LIANG_CPU` names, where it is set; throws UsageError for a name that is none. */
function forcedTier(): { tier?: CpuTier } {
  const name = environment("LIANG_CPU");
  return name === undefined ? {} : { tier: parseTier(name, "LIANG_CPU") };
}

/** The executor of this process: the best tier, or the one that the environment variable LIANG_CPU names. */
export const cpuExecutor: Executor = createCpuExecutor(forcedTier());
