import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { familySuite } from "./family-suite.ts";

// sums in f64, so what is left is transformers' own float32 error, at most twice the case's (their f32 run differs
// from their f64 run by the tolerance, and ours from that by the rounding of logits)
familySuite(referenceExecutor, 2);
