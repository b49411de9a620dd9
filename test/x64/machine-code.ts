// A machine's kernels as listings, each emitted once, and held to the instructions that processors of its tier have.
import assert from "node:assert/strict";
import { type Kernel, type Machine, type TracedKernel, codeSource, traceKernel } from "../../src/lanes/index.ts";
import { chooseForm } from "../../src/lanes/x64/assemble.ts";
import { emitListing } from "../../src/lanes/x64/emit.ts";
import type { ConventionName } from "../../src/lanes/x64/convention.ts";
import type { Listing } from "../../src/lanes/x64/instruction.ts";
import { x64Machines } from "../../src/lanes/x64/machines.ts";
import { showInstruction, showListing } from "../../src/lanes/x64/show.ts";
import { cpuFeatures } from "../../src/platform/native.ts";
import { featuresOf } from "./features.ts";

export interface Code {
  readonly traced: TracedKernel;
  readonly listing: Listing;
  /** Instructions and constants: what is the same text does the same. */
  readonly text: string;
}

export interface MachineCode {
  readonly tier: string;
  readonly convention: ConventionName;
  readonly machine: Machine;
  codeOf(kernel: Kernel): Code;
  /** Those asked for so far. */
  readonly kernels: ReadonlyMap<Kernel, Code>;
}

/** All x64 tiers, whatever this processor has. */
export function allMachines(convention: ConventionName = "systemV"): MachineCode[] {
  return [...x64Machines(new Set(cpuFeatures))].map(([tier, machine]) => machineCode(tier, machine, convention));
}

type Emitted = Pick<Code, "listing" | "text">;
/** By their source, for machines whose kernels are the same. */
const listingsOf: Readonly<Record<ConventionName, Map<string, Emitted>>> = { systemV: new Map(), windows: new Map() };

function emitCode(traced: TracedKernel, machine: Machine, convention: ConventionName): Emitted {
  const listing = emitListing(traced, machine, convention);
  return { listing, text: `${showListing(listing)}\n${Buffer.from(listing.pool).toString("hex")}` };
}

function machineCode(tier: string, machine: Machine, convention: ConventionName): MachineCode {
  const features = tierFeatures(tier);
  const listings = listingsOf[convention];
  const known = new Map<Kernel, Code>();
  const emit = (kernel: Kernel): Code => {
    const traced = traceKernel(kernel, machine);
    const source = codeSource(traced, machine);
    const emitted = listings.get(source) ?? emitCode(traced, machine, convention);
    listings.set(source, emitted);
    checkFeatures(emitted.listing, features);
    return { traced, ...emitted };
  };
  return {
    tier,
    convention,
    machine,
    kernels: known,
    codeOf(kernel) {
      const code = known.get(kernel) ?? emit(kernel);
      known.set(kernel, code);
      return code;
    },
  };
}

/** What a tier's instructions may need: the features without which it is not there, and avx, which avx2 is more of. */
function tierFeatures(tier: string): Set<string> {
  return new Set(
    cpuFeatures.filter((feature) => {
      if (feature === "avx") return true;
      const others = new Set<string>(cpuFeatures.filter((other) => other !== feature));
      return ![...x64Machines(others).keys()].some((name) => name === tier);
    }),
  );
}

/** Throws AssertionError for an instruction that needs more than these features. */
function checkFeatures(listing: Listing, features: ReadonlySet<string>): void {
  for (const instruction of listing.instructions) {
    if (instruction.name === "label") continue;
    const { form, extended } = chooseForm(listing, instruction);
    const missing = featuresOf(instruction, form, extended).filter((feature) => !features.has(feature));
    assert.deepEqual(missing, [], `${listing.name}: ${showInstruction(instruction)}`);
  }
}
