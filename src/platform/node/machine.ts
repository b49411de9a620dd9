// Facts of the machine: cores, memory, clock. A container's limits count, not the host's.
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, freemem, platform, totalmem } from "node:os";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Platform } from "../platform.ts";

type ReadText = (path: string) => Promise<string | undefined>;

export const machineFacts: Platform["machineFacts"] = async () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  os: platform(),
  architecture: arch(),
  ...(await memoryFacts(platform(), totalmem(), freemem(), readIfThere)),
});

export const sharesMemory: Platform["sharesMemory"] = () => true;

export const environment: Platform["environment"] = (name) => process.env[name] || undefined;

export const residentBytes: Platform["residentBytes"] = () => process.memoryUsage.rss();

let collect: (() => void) | undefined;

/** V8 has its collector's function in contexts that are made while a flag says so; there is no other way to call it. */
export const collectGarbage: Platform["collectGarbage"] = async () => {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
  }
  await eventLoopTurn(); // who ended in this turn of the event loop, a thread say, is still referred to
  collect();
  collect(); // waits for what the first one left to other threads
};

export const now: Platform["now"] = () => performance.now();

/** Total and available memory in bytes; `readText` reads the system's files (a test gives its own). */
export async function memoryFacts(
  os: string,
  totalBytes: number,
  freeBytes: number,
  readText: ReadText,
): Promise<{ memoryTotalBytes: number; memoryAvailableBytes: number }> {
  // macOS calls cached file pages used; half of the machine is a better guess than its few free pages
  const guess = os === "darwin" ? Math.max(freeBytes, totalBytes / 2) : freeBytes;
  const available = kilobytes(await readText("/proc/meminfo"), "MemAvailable") ?? guess;
  const group = os === "linux" ? await controlGroup(readText) : undefined;
  if (group === undefined || group.limitBytes >= totalBytes) {
    return { memoryTotalBytes: totalBytes, memoryAvailableBytes: available };
  }
  const left = Math.max(0, group.limitBytes - group.usedBytes);
  return { memoryTotalBytes: group.limitBytes, memoryAvailableBytes: Math.min(available, left) };
}

/** Limit and use of the control group, file cache that can be dropped not counted as used. */
async function controlGroup(readText: ReadText): Promise<{ limitBytes: number; usedBytes: number } | undefined> {
  for (const { limit, used, cache } of await controlGroupFiles(readText)) {
    const limitBytes = Number((await readText(limit)) ?? NaN); // "max" where there is none
    const usedBytes = Number((await readText(used)) ?? NaN);
    if (!(limitBytes > 0) || !Number.isFinite(usedBytes)) continue;
    const cached = Number(/^(?:total_)?inactive_file (\d+)$/m.exec((await readText(cache)) ?? "")?.[1] ?? 0);
    return { limitBytes, usedBytes: Math.max(0, usedBytes - cached) };
  }
  return undefined;
}

/** Where versions 2 and 1 of control groups keep the files; a container mostly sees its own group as the root. */
async function controlGroupFiles(readText: ReadText) {
  const memberships = ((await readText("/proc/self/cgroup")) ?? "").trim().split("\n");
  const folderOf = (membership: RegExp) => {
    const path = memberships.map((line) => membership.exec(line)?.[1]).find((found) => found !== undefined) ?? "/";
    return path === "/" ? [""] : [path, ""];
  };
  return [
    ...folderOf(/^0::(.*)$/).map((path) => ({
      limit: `/sys/fs/cgroup${path}/memory.max`,
      used: `/sys/fs/cgroup${path}/memory.current`,
      cache: `/sys/fs/cgroup${path}/memory.stat`,
    })),
    ...folderOf(/^\d+:[^:]*\bmemory\b[^:]*:(.*)$/).map((path) => ({
      limit: `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`,
      used: `/sys/fs/cgroup/memory${path}/memory.usage_in_bytes`,
      cache: `/sys/fs/cgroup/memory${path}/memory.stat`,
    })),
  ];
}

function kilobytes(text: string | undefined, key: string): number | undefined {
  const found = new RegExp(`^${key}:\\s*(\\d+) kB$`, "m").exec(text ?? "");
  return found === null ? undefined : Number(found[1]) * 1024;
}

const readIfThere: ReadText = (path) => readFile(path, "utf8").catch(() => undefined);

export const eventLoopTurn: Platform["eventLoopTurn"] = () => setImmediate();
