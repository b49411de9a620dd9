import { cpuTiers } from "../cpu/tiers.ts";
import { familySuite } from "./family-suite.ts";

// f32 sums in another order than transformers': a few times its own distance from a float64 forward
for (const executor of cpuTiers()) familySuite(executor, 4);
