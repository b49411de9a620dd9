// Whether a kept file can be trusted: what is found in one is run, or computed with. Not here: what is in it.
import type { Stats } from "node:fs";
import process from "node:process";

/** Whether nobody but this user could have written an opened file; true where the system has no user ids to compare. */
export const isOwnFile = ({ uid, mode }: Pick<Stats, "uid" | "mode">): boolean =>
  process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
