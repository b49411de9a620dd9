// Pulls a model from a hub into the data folder and puts it on the list.
import { join } from "node:path";
import { type ListedModel, openModelList } from "../models.ts";
import { chooseFiles } from "./choose.ts";
import type { HubFile } from "./listing.ts";
import { type PullOptions, openRepository } from "./repository.ts";

export interface PulledModel {
  readonly model: ListedModel;
  readonly files: readonly HubFile[];
  /** Bytes that came over the network now; 0 when all was there. */
  readonly fetchedBytes: number;
}

/**
 * Pulls and lists a model. Throws UsageError (name, endpoint, several files fit), NotFoundError, LiangErrors "gated",
 * "no_network", "hash_mismatch", "size_mismatch", "disk_full", "bad_redirect", "locked", FormatError, AbortError.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const { folder } = options;
  const repository = openRepository("models", options);
  const { org, name, id, wish, source } = repository;
  const { tag, files } = chooseFiles(id, await repository.list(), wish);
  const place = join(folder, "models", org, name);
  const { paths, fetchedBytes } = await repository.fetch(files, place);
  const model = await openModelList(folder).add(tag === undefined ? place : paths[0], {
    name: tag === undefined ? id : `${id}:${tag}`,
    source,
    replace: true,
  });
  return { model, files, fetchedBytes };
}
