// The engine and its adapters with every family of their suites, on every tier of this host and on the reference, with threads.
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { adapterSuite } from "../engine/adapter-suite.ts";
import { familySuite } from "../engine/family-suite.ts";

for (const executor of [...cpuTiers(), referenceExecutor]) {
  const factor = executor === referenceExecutor ? 2 : 4; // as in test/engine
  familySuite(executor, factor);
  adapterSuite(executor, factor);
}
