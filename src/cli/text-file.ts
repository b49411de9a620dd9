// Reads and writes text files that the person named: files, and pipes such as the shell's <(command).
import { readFile, writeFile } from "node:fs/promises";
import { FormatError, LiangError, NotFoundError } from "../base/errors.ts";

/** A text's content, without a byte order mark. Throws NotFoundError, LiangError "not_read", FormatError: no UTF-8. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFileBytes(file));
  } catch (cause) {
    if (cause instanceof LiangError) throw cause;
    throw new FormatError(file, "content", "no UTF-8", "a text file in UTF-8", { cause });
  }
}

/** All bytes of a file. Throws NotFoundError, LiangError "not_read". */
export const readFileBytes = async (file: string): Promise<Uint8Array> =>
  await readFile(file).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw new NotFoundError(`There is no file ${file}.`);
    throw new LiangError("not_read", `Cannot read ${file}: ${reasonOf(cause)}.`, { cause });
  });

/** Writes a text, replacing what is there. Throws LiangError "not_written". */
export async function writeTextFile(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (cause) {
    throw new LiangError("not_written", `Cannot write ${file}: ${reasonOf(cause)}.`, { cause });
  }
}

/** "EACCES: permission denied, open '/x'" -> "permission denied". */
const reasonOf = (error: unknown): string => (error as Error).message.replace(/^\w+: /, "").replace(/, \w+.*$/s, "");
