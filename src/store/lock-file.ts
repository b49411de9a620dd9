// Locks between processes: a file that only one of them can make. A process that dies leaves its lock behind, so a lock
// whose time has not been touched for some seconds is taken away. Not here: what is done under a lock.
import type { Stats } from "node:fs";
import { link, open, rename, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { LiangError } from "../base/errors.ts";

// Short work takes milliseconds, and long work touches its lock: one this old was left by a process that died.
const LOCK_STALE_MS = 4_000;
const LOCK_WAIT_MS = 6_000; // longer than that, so that after a crash the next one only waits
const LOCK_POLL_MS = 15;
const TOUCH_MS = 500; // often enough that a late timer or a slow disk is not taken for death

/**
 * Takes the lock for work of milliseconds, waiting for others that do. The caller deletes the file afterwards. Throws
 * LiangError "locked" when another process holds it for 6 seconds.
 */
export async function takeLock(lock: string): Promise<void> {
  const startMs = Date.now();
  while (!(await tryTake(lock))) {
    await breakStale(lock);
    if (Date.now() - startMs > LOCK_WAIT_MS) {
      throw new LiangError("locked", `${lock} has been there for ${LOCK_WAIT_MS / 1000} seconds.`, {
        hint: "Another process is changing the same file; if none is running, delete the lock.",
      });
    }
    await sleep(LOCK_POLL_MS);
  }
}

/**
 * Takes the lock for work of any length, until it is disposed; undefined when a living process holds it. To tell that
 * from a dead one's takes up to 4 seconds. Throws the reason of `signal`.
 */
export async function holdLock(lock: string, signal?: AbortSignal): Promise<AsyncDisposable | undefined> {
  let seenMs: number | undefined;
  while (!(await tryTake(lock))) {
    signal?.throwIfAborted();
    const held = await breakStale(lock);
    if (held === undefined) continue;
    seenMs ??= held.mtimeMs;
    if (held.mtimeMs !== seenMs) return undefined; // somebody touched it meanwhile
    await sleep(LOCK_POLL_MS);
  }
  const touching = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined); // it was taken away: nothing to touch any more
  }, TOUCH_MS);
  touching.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(touching);
      await rm(lock, { force: true });
    },
  };
}

/** Whether a living process holds it, by a look: one that died less than 4 seconds ago counts as living. */
export async function isHeld(lock: string): Promise<boolean> {
  const held = await stat(lock).catch(() => undefined);
  return held !== undefined && Date.now() - held.mtimeMs <= LOCK_STALE_MS;
}

async function tryTake(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx")).close();
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  }
}

/** Takes a dead process's lock away; gives what is known of a lock that stays. */
async function breakStale(lock: string): Promise<Stats | undefined> {
  const held = await stat(lock).catch(() => undefined);
  if (held === undefined || Date.now() - held.mtimeMs <= LOCK_STALE_MS) return held;
  await breakLock(lock, held);
  return undefined;
}

/** Takes that lock away; not the lock of one who was quicker, for a rename moves one file to one place. */
async function breakLock(lock: string, held: Stats): Promise<void> {
  const grave = `${lock}.${crypto.randomUUID()}`;
  try {
    await rename(lock, grave);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  const moved = await stat(grave);
  if (moved.ino !== held.ino || moved.mtimeMs !== held.mtimeMs) await link(grave, lock).catch(() => undefined);
  await rm(grave, { force: true });
}

/** The `code` of a system error ("ENOENT"); undefined of anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
