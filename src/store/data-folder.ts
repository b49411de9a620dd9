// Opens the one folder in which everything lasting lies: models.json, models/ (pulled files), liang.db. Which folder
// that is, is the platform's to say (LIANG_HOME, else the user's data folder).
import { mkdirSync } from "node:fs";
import { dataFolder } from "#platform";

/** The data folder's path, after making it (readable by the user alone) where it was not there. */
export function openDataFolder(path: string = dataFolder()): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
