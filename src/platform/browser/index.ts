// The browser body of the platform interface; ../platform.ts says what each function promises.
import type { Platform } from "../platform.ts";
import * as files from "./files.ts";
import * as machine from "./machine.ts";
import * as workers from "./workers.ts";

export type * from "../platform.ts";
export { type OpenedFiles, openedFiles } from "./files.ts";

export const {
  openFile,
  createFileWriter,
  readBytes,
  readText,
  packageFile,
  fileFacts,
  listFolder,
  makeFolder,
  makeTemporaryFolder,
  remove,
  move,
  joinPath,
  absolutePath,
  splitPath,
  dataFolder,
  machineFacts,
  sharesMemory,
  environment,
  residentBytes,
  collectGarbage,
  now,
  eventLoopTurn,
  Worker,
  startWorker,
  currentWorker,
  native,
}: Platform = { ...files, ...machine, ...workers };
