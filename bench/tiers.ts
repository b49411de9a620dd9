// The kernel sets that a bench's --tiers names, or all; those that this machine does not have are told once.
import { type Tier, findTier, parseTier, tierNames } from "../src/device/cpu/tiers.ts";

export function tiersOf(names: string | undefined): Tier[] {
  const asked = names?.split(",").map((name) => parseTier(name, "--tiers")) ?? tierNames;
  return asked.flatMap((name) => {
    const tier = findTier(name);
    if (typeof tier !== "string") return [tier];
    console.log(`${name}: ${tier}`);
    return [];
  });
}
