// Every kernel's machine code with registers of 256 bits (kernel-suite.ts).
import { kernelSuite } from "./kernel-suite.ts";

kernelSuite(["avx2", "avxvnni"]);
