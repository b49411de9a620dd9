// The cpu executors of this host, one a tier; those that it does not have are named once.
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { findTier, tierNames } from "../../src/device/cpu/tiers.ts";
import type { Executor } from "../../src/device/executor.ts";

const found = tierNames.map((name) => ({ name, tier: findTier(name) }));
for (const { name, tier } of found) {
  if (typeof tier === "string") console.log(`tier ${name} is not tested here: ${tier}`);
}

export function cpuTiers(): Executor[] {
  return found.filter(({ tier }) => typeof tier !== "string").map(({ name }) => createCpuExecutor({ tier: name }));
}
