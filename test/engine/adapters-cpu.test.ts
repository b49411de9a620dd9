import { cpuTiers } from "../cpu/tiers.ts";
import { adapterSuite } from "./adapter-suite.ts";

// as the golden logits themselves (families-cpu.test.ts)
for (const executor of cpuTiers()) adapterSuite(executor, 4);
