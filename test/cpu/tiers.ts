// The cpu executors of this host, one a tier; those that it does not have are named once.
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { findTier, tierNames } from "../../src/device/cpu/tiers.ts";
import type { Executor } from "../../src/device/executor.ts";
import type { CodeCache } from "../../src/store/code-cache.ts";

const found = tierNames.map((name) => ({ name, tier: findTier(name) }));
for (const { name, tier } of found) {
  if (typeof tier === "string") console.log(`tier ${name} is not tested here: ${tier}`);
}

const kept = new Map<string, Uint8Array>();
/** Machine code of a test file's models: the same kernel for the same machine is emitted once. */
const codes: CodeCache = {
  find: (source) => kept.get(source),
  keep: (source, code) => void kept.set(source, code),
};

export function cpuTiers(): Executor[] {
  const here = found.filter(({ tier }) => typeof tier !== "string");
  return here.map(({ name }) => {
    const executor = createCpuExecutor({ tier: name });
    const open: Executor["open"] = (store, graphs, options) => executor.open(store, graphs, { codes, ...options });
    return { ...executor, open };
  });
}
