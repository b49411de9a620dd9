import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { adapterSuite } from "./adapter-suite.ts";

// sums in f64; merged weights are rounded to f32, as logits are: like the golden ones (families-reference.test.ts)
adapterSuite(referenceExecutor, 2);
