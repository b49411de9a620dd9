// The cpu executors of this host, one a tier; those that it does not have are named once.
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { findTier, forcedTier, tierNames } from "../../src/device/cpu/tiers.ts";
import type { Executor } from "../../src/device/executor.ts";
import { codes } from "./codes.ts";

const found = tierNames.map((name) => ({ name, tier: findTier(name) }));
for (const { name, tier } of found) {
  if (typeof tier === "string") console.log(`tier ${name} is not tested here: ${tier}`);
}

/** What its models emit is kept for later ones. */
function keeping(executor: Executor): Executor {
  const open: Executor["open"] = (store, graphs, options) =>
    executor.open(store, graphs, { ...options, codes: options?.codes ?? codes });
  return { ...executor, open };
}

/** `ownThread`: for tests of what is computed, not of threads, which take longer to start than tiny models to run. */
export function cpuTiers({ ownThread = false } = {}): Executor[] {
  const here = found.filter(({ tier }) => typeof tier !== "string");
  return here.map(({ name }) => keeping(createCpuExecutor({ tier: name, ownThread })));
}

/** The executor of this process (the best tier, or LIANG_CPU's), on the caller's thread unless threads are the question. */
export const tinyExecutor = ({ ownThread = true } = {}): Executor =>
  keeping(createCpuExecutor({ tier: forcedTier(), ownThread }));
