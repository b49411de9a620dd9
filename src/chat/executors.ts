// The executors by the names that LoadOptions gives them; each is loaded when it is first asked for.
import { UsageError, show } from "../base/errors.ts";
import type { Executor } from "../device/executor.ts";
import type { LoadOptions } from "./types.ts";

type ExecutorName = NonNullable<LoadOptions["executor"]>;

const EXECUTORS: Readonly<Record<ExecutorName, () => Promise<Executor>>> = {
  cpu: async () => (await import("../device/cpu/executor.ts")).cpuExecutor,
  reference: async () => (await import("../device/reference/executor.ts")).referenceExecutor,
};

/** Throws UsageError for a name that is none of them. */
export async function openExecutor(name: ExecutorName = "cpu"): Promise<Executor> {
  if (Object.hasOwn(EXECUTORS, name)) return await EXECUTORS[name]();
  throw new UsageError(`The executor is ${show(name)}, expected ${Object.keys(EXECUTORS).join(" or ")}.`, {
    field: "executor",
  });
}
