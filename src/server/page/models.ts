// The page's view of the models: the list with what is in memory, and loading one with progress.
import type { LanguageModel } from "../../chat/types.ts";
import type { Progress } from "../../base/progress.ts";
import type { ListedModel } from "../../store/index.ts";
import type { LoadEvent, LoadProgress, LoadedModel, ModelEntry, ModelList } from "../api-types.ts";
import { readJson } from "../body.ts";
import { reportError } from "../errors.ts";
import type { ModelPool, PoolState } from "../model-pool.ts";
import { createSignalled } from "../signalled.ts";
import { sseResponse } from "../sse.ts";
import { loadRequest } from "./schemas.ts";

/** GET /api/models */
export async function listModels(pool: ModelPool): Promise<ModelList> {
  const state = pool.state();
  const models = await pool.catalogue.list();
  return { models: models.map((model) => toEntry(model, state)), current: state?.name ?? null };
}

/** POST /api/models/load: brings a model into memory and streams how far it is. Leaving the stream does not stop it. */
export async function loadModel(request: Request, pool: ModelPool, log: (error: unknown) => void): Promise<Response> {
  const { model: name } = await readJson(request, loadRequest);
  const { name: known } = await pool.catalogue.find(name);
  const latest = createSignalled<LoadProgress>();
  // The lease is held here, not in the stream: nobody may be left to read that when the load ends.
  const loading = (async (): Promise<ModelEntry> => {
    using lease = await pool.acquire(known, { onProgress: (progress) => latest.set(toProgress(progress)) });
    return toEntry(await pool.catalogue.find(lease.name), pool.state());
  })();
  const end = () => latest.end();
  loading.then(end, end);
  async function* events(): AsyncGenerator<LoadEvent> {
    for await (const progress of latest.values()) yield { type: "load", progress };
    yield { type: "loaded", model: await loading };
  }
  return sseResponse(events(), {
    onError: (error) => ({ type: "error", error: reportError(error, log) }) satisfies LoadEvent,
  });
}

export function toProgress({ label, done, total, unit }: Progress): LoadProgress {
  return { label, done, total: total ?? null, unit };
}

function toEntry({ name, path, bytes, builtIn, run }: ListedModel, state: PoolState | undefined): ModelEntry {
  const base = { id: name, path, bytes, builtIn, ...(run !== undefined && { run }) };
  const adapted = state?.adapted.get(name);
  if (adapted !== undefined) return { ...base, state: "loaded", info: toLoaded(adapted) };
  if (state?.name !== name) return { ...base, state: "unloaded" };
  if (state.model !== undefined) return { ...base, state: "loaded", info: toLoaded(state.model) };
  return { ...base, state: "loading", progress: state.progress && toProgress(state.progress) };
}

function toLoaded({ info }: LanguageModel): LoadedModel {
  const { family, parameters, window, trainedWindow, template, loadMs, memory, tier, threads } = info;
  const memoryBytes = memory.totalBytes;
  return { family, parameters, window, trainedWindow, template, loadMs, memoryBytes, tier, threads };
}
