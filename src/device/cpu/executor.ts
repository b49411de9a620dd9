// The cpu executor: kernels in machine code or WebAssembly SIMD, N threads over one shared memory per open model. Which
// kernel sets there are: tiers.ts. What opening does: open-model.ts.
import { native } from "#platform";
import type { Executor } from "../executor.ts";
import { openModel } from "./open-model.ts";
import { packedFormat } from "./packed-layouts.ts";
import { placeModel } from "./place-model.ts";
import { promptRows } from "./prompt-class.ts";
import { type CpuTier, type Tier, chooseTier, forcedTier } from "./tiers.ts";

export type { CpuTier } from "./tiers.ts";

/** An executor of the best tier of this host, or of the one asked for; throws UnsupportedError when it is not there. */
export function createCpuExecutor({ tier: asked }: { tier?: CpuTier | undefined } = {}): Executor {
  const tier = chooseTier(asked);
  const notice = noticeOf(tier, asked);
  return {
    name: "cpu",
    tier: tier.name,
    promptRows: promptRows(tier.machine),
    keptAs: packedFormat,
    ...(notice !== undefined && { notice }),
    plan: async (store, graphs, options = {}) => (await placeModel(store, graphs, options, tier)).use,
    open: (store, graphs, options) => openModel(tier, store, graphs, options),
  };
}

/** The executor of this process: the best tier, or the one that the environment variable LIANG_CPU names. */
export const cpuExecutor: Executor = createCpuExecutor({ tier: forcedTier() });

/** Says so where machine code should be there and is not, and nobody asked for another tier. */
function noticeOf(tier: Tier, asked: CpuTier | undefined): string | undefined {
  const host = native();
  if (asked !== undefined || tier.native !== undefined || !("reason" in host) || host.failed !== true) return undefined;
  return `Models run as WebAssembly, slower than machine code: ${host.reason}`;
}
