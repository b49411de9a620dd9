// Encoder-decoders on the reference executor and on the cpu executor, every tier of this host.
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { encoderDecoderSuite } from "./encoder-decoder-suite.ts";

// As in reference.test.ts and cpu.test.ts.
encoderDecoderSuite(referenceExecutor, 1.25);
// t5-relu has nothing that kernels do not meet in the others
const [fastest, ...others] = cpuTiers();
encoderDecoderSuite(fastest, 4);
for (const executor of others) encoderDecoderSuite(executor, 4, ["marian", "t5"]);
