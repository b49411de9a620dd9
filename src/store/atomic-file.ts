// Small files that several processes may change: each change reads the file, and replaces it whole by a rename, under a
// lock file. A reader sees the old or the new content, never a half; two writers never lose each other's change.
import { readFile, rm } from "node:fs/promises";
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
  } finally {
    await rm(lock, { force: true });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(text));
  await file.finish();
}
