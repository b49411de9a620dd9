// Paths, and the folder that holds what lasts.
import { homedir, platform } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Platform } from "../platform.ts";

export const joinPath: Platform["joinPath"] = join;
export const absolutePath: Platform["absolutePath"] = (path) => resolve(path);
export const splitPath: Platform["splitPath"] = (path) => ({ folder: dirname(path), name: basename(path) });
export const dataFolder: Platform["dataFolder"] = () => dataFolderFor(platform(), process.env, homedir());

/** The data folder of a user; each system's own habit (XDG on Linux and the rest). */
export function dataFolderFor(os: string, env: Readonly<Record<string, string | undefined>>, home: string): string {
  if (env.LIANG_HOME) return resolve(env.LIANG_HOME);
  if (os === "darwin") return join(home, "Library", "Application Support", "liang");
  if (os === "win32") return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "liang");
  return join(env.XDG_DATA_HOME || join(home, ".local", "share"), "liang");
}
