// Opens the one folder in which everything lasting lies: models.json, models/ and data/ (pulled files), liang.db. Which folder
// that is, is the platform's to say (LIANG_HOME, else the user's data folder).
import { accessSync, constants, mkdirSync } from "node:fs";
import { LiangError } from "../base/errors.ts";
import { dataFolder } from "#platform";

/** The data folder's path, after making it (readable by the user alone) where it was not there. Throws "no_data_folder". */
export function openDataFolder(path: string = dataFolder()): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new LiangError(
      "no_data_folder",
      `Nothing can be kept in ${path}: ${(cause as Error).message.replace(/^\w+: /, "")}.`,
      {
        hint: "Set LIANG_HOME to a folder that can be written.",
        cause,
      },
    );
  }
  return path;
}
