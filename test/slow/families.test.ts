// Every golden case on every tier of this host and on the reference, with threads, with all that is asked of one.
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { encoderDecoderSuite } from "../families/encoder-decoder-suite.ts";
import { encoderSuite } from "../families/encoders.ts";
import { goldenSuite, otherFormsSuite } from "../families/golden.ts";
import { imageSuite } from "../families/images.ts";

for (const executor of [...cpuTiers(), referenceExecutor]) {
  const factor = executor === referenceExecutor ? 1.25 : 4; // as in test/families
  goldenSuite(executor, factor);
  otherFormsSuite(executor);
  encoderSuite(executor, factor);
  encoderDecoderSuite(executor, factor);
  imageSuite(executor, factor);
}
