// Small files that several processes may change: each change reads the file, and replaces it whole by a rename, under a
// lock file. A reader sees the old or the new content, never a half; two writers never lose each other's change.
import type { Stats } from "node:fs";
import { link, open, readFile, rename, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createFileWriter } from "#platform";
import { LiangError } from "../base/errors.ts";

// A change takes milliseconds: a lock this old was left by a process that died.
const LOCK_STALE_MS = 4_000;
const LOCK_WAIT_MS = 6_000; // longer than that, so that after a crash the next change only waits
const LOCK_POLL_MS = 15;

/** The file's text; undefined when it is not there. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Replaces the file's text by `change(current)`; `current` is undefined when the file is not there, and nothing is
 * written when `change` gives undefined. Throws LiangError "locked" when another process holds the file for 6 seconds.
 */
export async function changeText(
  path: string,
  change: (current: string | undefined) => string | undefined,
): Promise<void> {
  const lock = `${path}.lock`;
  await takeLock(lock);
  try {
    const next = change(await readText(path));
    if (next !== undefined) await replaceFile(path, next);
  } finally {
    await rm(lock, { force: true });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(text));
  await file.finish();
}

async function takeLock(lock: string): Promise<void> {
  const startMs = Date.now();
  for (;;) {
    try {
      await (await open(lock, "wx")).close();
      return;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    const held = await stat(lock).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > LOCK_STALE_MS) await breakLock(lock, held);
    if (Date.now() - startMs > LOCK_WAIT_MS) {
      throw new LiangError("locked", `${lock} has been there for ${LOCK_WAIT_MS / 1000} seconds.`, {
        hint: "Another process is changing the same file; if none is running, delete the lock.",
      });
    }
    await sleep(LOCK_POLL_MS);
  }
}

/** Takes a dead process's lock away; not the lock of one who was quicker, for a rename moves one file to one place. */
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
