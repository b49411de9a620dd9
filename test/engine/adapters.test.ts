// Adapters on the executors: all families on the best tier of this host, one on every tier, one on the reference.
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { adapterSuite } from "./adapter-suite.ts";

const [best, ...others] = cpuTiers({ ownThread: true });
// as the golden logits themselves (families.test.ts)
adapterSuite(best, 4);
for (const executor of others) adapterSuite(executor, 4, { names: ["qwen3"], numbersAlone: true });
// sums in f64; merged weights are rounded to f32, as logits are: like the golden ones
adapterSuite(referenceExecutor, 2, { names: ["qwen3"], numbersAlone: true });
