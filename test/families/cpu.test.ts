// The families on the cpu executor, every tier of this host.
import { cpuTiers } from "../cpu/tiers.ts";
import { encoderSuite } from "./encoders.ts";
import { goldenSuite } from "./golden.ts";
import { imageSuite } from "./images.ts";

// f32 sums in another order than transformers': a few times its own distance from a float64 forward.
const FACTOR = 4;

for (const executor of cpuTiers()) {
  goldenSuite(executor, FACTOR);
  encoderSuite(executor, FACTOR);
  imageSuite(executor, FACTOR);
}
