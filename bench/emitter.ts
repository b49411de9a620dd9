// What machine code costs to make, and how it came out: milliseconds to trace, emit and assemble kernels once (a cold start)
// and again, their instructions and bytes, and how often their innermost loops go to the frame for what found no register.
// Speed of the code itself: bench/kernels.ts. Run: node bench/emitter.ts [--tiers avx512vnni,avx2] [--formats q4_k,q6_k]
import { parseArgs } from "node:util";
import { int8Cores } from "../src/device/cpu/kernels/core-int8.ts";
import { decodeKernel } from "../src/device/cpu/kernels/linear-decode.ts";
import type { QuantizedName } from "../src/device/cpu/kernels/blocks.ts";
import { type Kernel, type Machine, emitListing, traceKernel, x64Machines } from "../src/lanes/index.ts";
import { assemble } from "../src/lanes/x64/assemble.ts";
import type { Instruction, Listing } from "../src/lanes/x64/instruction.ts";
import { cpuFeatures } from "../src/platform/native.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string", default: "avx512vnni,avx2" },
    formats: { type: "string", default: "q4_k,q6_k,q8_0" },
  },
});
const machines = new Map<string, Machine>(x64Machines(new Set(cpuFeatures)));
const RSP = 4;

/** Innermost loops: from a label to a jump back to it, with no other such jump in between. */
function innermostLoops({ instructions }: Listing): Instruction[][] {
  const labels = new Map<number, number>();
  const loops: Instruction[][] = [];
  let lastEnd = -1;
  for (const [i, { name, operands }] of instructions.entries()) {
    const [first] = operands;
    if (first?.kind !== "target") continue;
    if (name === "label") {
      labels.set(first.label, i);
      continue;
    }
    const start = labels.get(first.label);
    if (start === undefined) continue;
    if (start > lastEnd) loops.push(instructions.slice(start, i + 1));
    lastEnd = i;
  }
  return loops;
}

const readsFrame = ({ operands }: Instruction): boolean =>
  operands.some((operand) => operand.kind === "memory" && operand.base === RSP);

function emit(kernel: Kernel, machine: Machine): { ms: number[]; listing: Listing; bytes: number } {
  const moments = [performance.now()];
  const traced = traceKernel(kernel, machine);
  moments.push(performance.now());
  const listing = emitListing(traced, machine);
  moments.push(performance.now());
  const code = assemble(listing);
  moments.push(performance.now());
  return { ms: moments.slice(1).map((moment, i) => moment - moments[i]), listing, bytes: code.byteLength };
}

const AGAIN = 10;
for (const tier of values.tiers.split(",")) {
  const machine = machines.get(tier);
  if (machine === undefined) throw new Error(`${tier} is none of ${[...machines.keys()].join(", ")}`);
  for (const format of values.formats.split(",") as QuantizedName[]) {
    const step = { cores: [int8Cores[format]], epilogue: { kind: "none" }, floats: true, rounded: false } as const;
    const kernel = decodeKernel(step);
    const first = emit(kernel, machine);
    const again = Array.from({ length: AGAIN }, () => emit(kernel, machine).ms.reduce((a, b) => a + b));
    const [trace, emission, assembly] = first.ms.map((ms) => ms.toFixed(1));
    const loops = innermostLoops(first.listing).flat();
    console.log(
      `${tier} ${kernel.name}: ${first.listing.instructions.length} instructions, ${first.bytes} bytes, first traced ` +
        `${trace} + emitted ${emission} + assembled ${assembly} ms, again ${Math.min(...again).toFixed(1)} ms; ` +
        `${loops.filter(readsFrame).length} of ${loops.length} instructions of innermost loops in the frame`,
    );
  }
}
