// The cpu executor: kernels in WebAssembly SIMD, N threads over one shared memory per open model. Here: which tiers there
// are. What opening does: open-model.ts.
import { UnsupportedError, UsageError, show } from "../../base/errors.ts";
import { relaxedMachine, wasmMachine } from "../../lanes/index.ts";
import { environment } from "#platform";
import type { Executor } from "../executor.ts";
import { openModel } from "./open-model.ts";
import { placeModel } from "./place-model.ts";

/** The kernel sets there are; "wasm-relaxed" where the host has relaxed SIMD. */
const tiers = ["wasm", "wasm-relaxed"] as const;
export type CpuTier = (typeof tiers)[number];

/** An executor of the best tier of this host, or of the one asked for; throws UnsupportedError when it is not there. */
export function createCpuExecutor({ tier }: { tier?: CpuTier } = {}): Executor {
  const relaxed = tier === "wasm" ? undefined : relaxedMachine();
  if (tier === "wasm-relaxed" && relaxed === undefined) {
    throw new UnsupportedError("This host's WebAssembly has no relaxed SIMD.", { hint: "Use the tier wasm." });
  }
  const machine = relaxed ?? wasmMachine;
  return {
    name: "cpu",
    tier: relaxed === undefined ? "wasm" : "wasm-relaxed",
    plan: async (store, graphs, options) => (await placeModel(store, graphs, options)).use,
    open: (store, graphs, options) => openModel(machine, store, graphs, options),
  };
}

/** The tier that `LIANG_CPU` names, where it is set; throws UsageError for a name that is none. */
function forcedTier(): { tier?: CpuTier } {
  const name = environment("LIANG_CPU");
  if (name === undefined) return {};
  const tier = tiers.find((known) => known === name);
  if (tier !== undefined) return { tier };
  throw new UsageError(`LIANG_CPU is ${show(name)}, expected ${tiers.join(" or ")}.`);
}

/** The executor of this process: the best tier, or the one that the environment variable LIANG_CPU names. */
export const cpuExecutor: Executor = createCpuExecutor(forcedTier());
