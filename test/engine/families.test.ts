// The engine on the executors: every form of cache and rope on the best tier of this host, two groups on every tier, and one on
// the reference.
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { familySuite } from "./family-suite.ts";

const [best, ...others] = cpuTiers({ ownThread: true });
// f32 sums in another order than transformers': a few times its own distance from a float64 forward
familySuite(best, 4);
for (const executor of others) familySuite(executor, 4, ["gemma3_text"]);
// sums in f64, so what is left is transformers' own float32 error, at most twice the case's (their f32 run differs
// from their f64 run by the tolerance, and ours from that by the rounding of logits)
familySuite(referenceExecutor, 2, ["llama-3"]);
