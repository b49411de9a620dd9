// The cpu executor: kernels in WebAssembly SIMD, N threads over one shared memory per open model. Here: which tiers there
// are. What opening does: open-model.ts.
import { UnsupportedError } from "../../base/errors.ts";
import { relaxedMachine, wasmMachine } from "../../lanes/index.ts";
import type { Executor } from "../executor.ts";
import { openModel } from "./open-model.ts";
import { placeModel } from "./place-model.ts";

/** The kernel sets there are; "wasm-relaxed" where the host has relaxed SIMD. */
export type CpuTier = "wasm" | "wasm-relaxed";

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

export const cpuExecutor: Executor = createCpuExecutor();
