// Pulls a data set from a hub into the data folder, from where it goes by its name. Not here: what is made of it
// (train/data/prepare.ts).
import { noteDataSet } from "../data-sets.ts";
import { chooseData } from "./choose-data.ts";
import type { HubFile } from "./listing.ts";
import { type PullOptions, openRepository } from "./repository.ts";

export interface PulledData {
  /** org/name, with what was asked for behind a colon. */
  readonly name: string;
  /** Where the files are, in their own folders. */
  readonly path: string;
  readonly files: readonly HubFile[];
  /** Bytes that came over the network now; 0 when all was there. */
  readonly fetchedBytes: number;
}

/** Pulls a data set: its files of texts, JSON lines or Parquet. Throws as `pullModel` does. */
export async function pullData(options: PullOptions): Promise<PulledData> {
  const repository = openRepository("datasets", options);
  const { id, wish, source } = repository;
  const { files, others } = chooseData(id, await repository.list(), wish);
  if (others !== undefined) options.onNotice?.(`${id} has besides, each to be had as ${id}:PATH: ${others}`);
  const name = wish === undefined ? id : `${id}:${wish}`;
  const note = await noteDataSet(options.folder, name, source);
  const { paths, fetchedBytes } = await repository.fetch(files, note.path);
  await note.whole(paths);
  return { name, path: note.path, files, fetchedBytes };
}
