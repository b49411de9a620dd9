// The kernel sets of the cpu executor, best first: for which machine each is built, and why a host does not have it.
// Machine code needs the processor's features and a system that lets it run; WASM runs everywhere.
import { UnsupportedError, UsageError, show } from "../../base/errors.ts";
import { type Kernel, type Machine, hasWideMemory, relaxedMachine, wasmMachine } from "../../lanes/index.ts";
import { type X64Tier, missingFeatures, x64Machines } from "../../lanes/x64/machines.ts";
import { type Native, environment, native } from "#platform";
import type { CodeCache } from "../../store/code-cache.ts";
import { type ModelCode, compileWasm, compileX64 } from "./code.ts";

export const tierNames = ["amx", "avx512vnni", "avx512", "avxvnni", "avx2", "wasm-relaxed", "wasm"] as const;
export type CpuTier = (typeof tierNames)[number];

/** A kernel set that this host can run. */
export interface Tier {
  readonly name: CpuTier;
  readonly machine: Machine;
  /** The same with addresses of 64 bits, for models that 32 do not reach. */
  readonly wide?: Machine;
  /** Where kernels are machine code: what calls them. */
  readonly native?: Native;
  /** `kept`: machine code of other starts. */
  compile(kernels: readonly Kernel[], machine: Machine, memory: WebAssembly.Memory, kept?: CodeCache): ModelCode;
}

type Row = () => Omit<Tier, "name"> | string;

const wasm = (machine: Machine): Omit<Tier, "name"> => ({
  machine,
  ...(hasWideMemory() && { wide: { ...machine, word: 64 } }),
  compile: compileWasm,
});

/** Machine code, where the processor has the features and the system lets it run. */
const x64 =
  (name: X64Tier): Row =>
  () => {
    const host = native();
    if ("reason" in host) return host.reason;
    const machine = x64Machines(host.features).get(name);
    if (machine === undefined) return `The processor has no ${missingFeatures(name, host.features).join(", ")}.`;
    if (machine.tiles && !host.requestTiles()) return "The system does not grant tile registers.";
    return {
      machine,
      native: host,
      compile: (kernels, built, _memory, kept) => compileX64(host, kernels, built, kept),
    };
  };

/** What makes up each tier here, or why it is not here. */
const rows: Readonly<Record<CpuTier, Row>> = {
  amx: x64("amx"),
  avx512vnni: x64("avx512vnni"),
  avx512: x64("avx512"),
  avxvnni: x64("avxvnni"),
  avx2: x64("avx2"),
  "wasm-relaxed": () => {
    const machine = relaxedMachine();
    return machine === undefined ? "This host's WebAssembly has no relaxed SIMD." : wasm(machine);
  },
  wasm: () => wasm(wasmMachine),
};

/** A tier of this host, or the reason why it is none. */
export function findTier(name: CpuTier): Tier | string {
  const found = rows[name]();
  return typeof found === "string" ? found : { name, ...found };
}

/** The best tier of this host, or the one asked for. Throws UnsupportedError when that is not here. */
export function chooseTier(asked?: CpuTier): Tier {
  for (const name of asked === undefined ? tierNames : [asked]) {
    const found = findTier(name);
    if (typeof found !== "string") return found;
    if (asked !== undefined)
      throw new UnsupportedError(`The tier ${asked} is not here: ${found}`, {
        hint: "Ask for none, which takes the best one, or for wasm, which runs everywhere; liang doctor lists those here.",
      });
  }
  throw new UnsupportedError("No tier of the cpu executor runs on this host.", {
    hint: "It takes WebAssembly with SIMD and shared memory: use Node 24 or later, or a browser of the last years.",
  });
}

/** The tier that `LIANG_CPU` names, where it is set; throws UsageError for a name that is none. */
export function forcedTier(): CpuTier | undefined {
  const name = environment("LIANG_CPU");
  return name === undefined ? undefined : parseTier(name, "LIANG_CPU");
}

/** The tier that this process uses: the one that `LIANG_CPU` names, else the best. Throws as both say. */
export const tierInUse = (): Tier => chooseTier(forcedTier());

/** A tier's name from outside, in any case; throws UsageError when it is none. `what` names where it stood. */
export function parseTier(name: string, what: string): CpuTier {
  const tier = tierNames.find((known) => known === name.toLowerCase());
  if (tier === undefined) throw new UsageError(`${what} is ${show(name)}, expected one of ${tierNames.join(", ")}.`);
  return tier;
}
