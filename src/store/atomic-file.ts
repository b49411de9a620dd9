// Small files that several processes may change: each change reads the file, and replaces it whole by a rename, under a
// lock file. A reader sees the old or the new content, never a half; two writers never lose each other's change.
import { open, readFile, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createFileWriter } from "#platform";
import { LiangError } from "../base/errors.ts";

const LOCK_WAIT_MS = 5_000;
// A change takes milliseconds: a lock this old was left by a process that died.
const LOCK_STALE_MS = 10_000;
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
 * written when `change` gives undefined. Throws LiangError "locked" when another process holds the file for 5 seconds.
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
    if (held !== undefined && Date.now() - held.mtimeMs > LOCK_STALE_MS) await rm(lock, { force: true });
    if (Date.now() - startMs > LOCK_WAIT_MS) {
      throw new LiangError("locked", `${lock} has been there for ${LOCK_WAIT_MS / 1000} seconds.`, {
        hint: "Another process is changing the same file; if none is running, delete the lock.",
      });
    }
    await sleep(LOCK_POLL_MS);
  }
}

/** The `code` of a system error ("ENOENT"); undefined of anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
