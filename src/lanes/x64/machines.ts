// The machines that x64 code is emitted for: what kernels may ask (Machine), by tier, and the processor's features that
// each needs. Not here: which features this processor has (platform), which tier is used (device).
import type { Machine } from "../ir.ts";

/** Features, named as Linux names them. */
export type X64Feature =
  | "avx2"
  | "fma"
  | "f16c"
  | "avx_vnni"
  | "avx512f"
  | "avx512bw"
  | "avx512dq"
  | "avx512vl"
  | "avx512_vnni"
  | "avx512_bf16"
  | "amx_tile"
  | "amx_bf16";

const base = { madd: "fused", word: 64, f16: true, bf16: false, tiles: false } as const;
const narrow = { ...base, lanes: 8, registers: 16 } as const;
const wide = { ...base, lanes: 16, registers: 32 } as const;

const AVX2: readonly X64Feature[] = ["avx2", "fma", "f16c"];
const AVX512: readonly X64Feature[] = [...AVX2, "avx512f", "avx512bw", "avx512dq", "avx512vl"];

interface Tier {
  readonly needs: readonly X64Feature[];
  readonly machine: Machine;
}

/** The best first. */
const tiers = {
  amx: {
    needs: [...AVX512, "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"],
    machine: { ...wide, dot: "u8", bf16: true, tiles: true },
  },
  avx512vnni: { needs: [...AVX512, "avx512_vnni"], machine: { ...wide, dot: "u8" } },
  avx512: { needs: AVX512, machine: { ...wide, dot: "i7" } },
  avxvnni: { needs: [...AVX2, "avx_vnni"], machine: { ...narrow, dot: "u8" } },
  avx2: { needs: AVX2, machine: { ...narrow, dot: "i7" } },
} as const satisfies Record<string, Tier>;

export type X64Tier = keyof typeof tiers;

/** The tiers that a processor with these features has, the best first, and their machines. */
export function x64Machines(features: ReadonlySet<string>): Map<X64Tier, Machine> {
  const has = (feature: X64Feature): boolean => features.has(feature);
  const found = new Map<X64Tier, Machine>();
  for (const [name, { needs, machine }] of Object.entries(tiers) as [X64Tier, Tier][]) {
    if (!needs.every(has)) continue;
    found.set(name, { ...machine, bf16: machine.lanes === 16 && machine.dot === "u8" && has("avx512_bf16") });
  }
  return found;
}

/** What a tier needs and a processor with these features does not have. */
export function missingFeatures(name: X64Tier, features: ReadonlySet<string>): X64Feature[] {
  return tiers[name].needs.filter((feature) => !features.has(feature));
}
