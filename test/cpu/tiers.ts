// The cpu executors of this host, one a tier.
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import type { Executor } from "../../src/device/executor.ts";

export function cpuTiers(): Executor[] {
  const best = createCpuExecutor();
  return best.tier === "wasm" ? [best] : [createCpuExecutor({ tier: "wasm" }), best];
}
