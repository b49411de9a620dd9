// Small files that several processes may change: each change reads the file, and replaces it whole by a rename, under a
// lock file. A reader sees the old or the new content, never a half; two writers never lose each other's change.
import { readFile, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createFileWriter } from "#platform";
import { errorCode, takeLock } from "./lock-file.ts";

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
    await removeLeftovers(path);
  } finally {
    await rm(lock, { force: true });
  }
}

// No write of a small file takes this long.
const LEFTOVER_MS = 3_600_000;

/** Deletes what processes that died while they wrote the file have left: what the platform's writer names so. */
async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const isWriters = (name: string) => name.startsWith(start) && /^\d+-\d+\.part$/.test(name.slice(start.length));
  for (const name of (await readdir(folder)).filter(isWriters)) {
    const left = await stat(join(folder, name)).catch(() => undefined);
    if (left !== undefined && Date.now() - left.mtimeMs > LEFTOVER_MS) await rm(join(folder, name), { force: true });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(text));
  await file.finish();
}
