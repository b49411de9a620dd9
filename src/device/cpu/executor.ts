// The cpu executor: kernels in machine code or WebAssembly SIMD, N threads over one shared memory per open model. Which
// kernel sets there are: tiers.ts. What opening does: open-model.ts.
import { native, sharesMemory } from "#platform";
import type { Executor, OpenOptions } from "../executor.ts";
import { openModel } from "./open-model.ts";
import { packedFormat } from "./packed-layouts.ts";
import { placeModel } from "./place-model.ts";
import { promptRows } from "./prompt-class.ts";
import { type CpuTier, type Tier, chooseTier, forcedTier } from "./tiers.ts";

export type { CpuTier } from "./tiers.ts";

export interface CpuExecutorOptions {
  /** Default: the best of this host. */
  readonly tier?: CpuTier | undefined;
  /** Run programs on the caller's thread and start none: the same bytes. Default: only where threads cannot share memory. */
  readonly ownThread?: boolean;
}

/** An executor of one tier; throws UnsupportedError when that is not there. */
export function createCpuExecutor(options: CpuExecutorOptions = {}): Executor {
  const { tier: asked, ownThread = !sharesMemory() } = options;
  const tier = chooseTier(asked);
  const notice = noticeOf(tier, asked);
  const withThreads = (given: OpenOptions = {}): OpenOptions =>
    ownThread ? { ...given, threads: given.threads ?? 1 } : given;
  return {
    name: "cpu",
    tier: tier.name,
    promptRows: promptRows(tier.machine),
    keptAs: packedFormat,
    ...(notice !== undefined && { notice }),
    plan: async (store, graphs, given) => (await placeModel(store, graphs, withThreads(given), tier)).use,
    open: (store, graphs, given) => openModel(tier, store, graphs, withThreads(given), ownThread),
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
