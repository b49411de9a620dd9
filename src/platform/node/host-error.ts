// The host's error codes as errors of ours: what could not be done to which path, and why.
import { LiangError, NotFoundError } from "../../base/errors.ts";

type Verb = "read" | "write" | "make" | "remove";

const reasons: Readonly<Record<string, readonly [code: string, reason: string, hint?: string]>> = {
  EACCES: ["no_permission", "permission is denied", "Check who owns it."],
  EPERM: ["no_permission", "the system does not permit it", "Check who owns it."],
  EROFS: ["no_permission", "the disk is read-only"],
  ENOSPC: ["disk_full", "the disk is full", "Free some space and try again."],
  EDQUOT: ["disk_full", "the disk quota is used up", "Free some space and try again."],
  EMFILE: ["too_many_files", "too many files are open"],
  EISDIR: ["not_a_file", "it is a folder"],
  ENOTDIR: ["not_a_folder", "it is no folder"],
  ENAMETOOLONG: ["bad_path", "the path is too long"],
  ELOOP: ["bad_path", "its links lead in a circle"],
  EIO: ["disk_failed", "the disk reports an error"],
};

const codeOf = (error: unknown): string => (error as { code?: string } | null)?.code ?? "";

/** True when the host says that there is nothing of that name (a file on the way counts: it holds nothing). */
export const isMissing = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(codeOf(error));

/** Throws what the host's `error` means: NotFoundError, or LiangError with a code of ours. */
export function hostError(verb: Verb, path: string, error: unknown): never {
  if (error instanceof LiangError) throw error;
  const code = codeOf(error);
  if (code === "ENOENT" && verb === "write") throw new NotFoundError(`Cannot write ${path}: its folder is not there.`);
  if (code === "ENOENT") throw new NotFoundError(`Cannot ${verb} ${path}: it is not there.`, { cause: error });
  const [ours, reason, hint] = reasons[code] ?? ["host_failed", error instanceof Error ? error.message : String(error)];
  throw new LiangError(
    ours,
    `Cannot ${verb} ${path}: ${reason}.`,
    hint === undefined ? { cause: error } : { hint, cause: error },
  );
}
