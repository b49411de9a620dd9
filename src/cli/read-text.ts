// Reads a text file that the person named.
import { readFile } from "node:fs/promises";
import { NotFoundError } from "../base/errors.ts";

/** A text file's content; NotFoundError where there is none. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new NotFoundError(`There is no readable file ${file}.`, { cause });
  }
}
