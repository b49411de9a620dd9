// The models there are, which one is in memory, and the loading that the picker starts. Not here: loading that a reply
// starts by itself (replies.ts).
import type {
  ApiError,
  LoadEvent,
  LoadProgress,
  LoadRequest,
  ModelEntry,
  ModelList,
  ServerInfo,
} from "../../server/api-types.ts";
import { asApiError, request, stream } from "../api/client.ts";
import { createStore } from "./store.ts";

export interface Loading {
  readonly model: string;
  readonly progress: LoadProgress | undefined;
  readonly startedAt: number;
}

export interface Models {
  readonly server: ServerInfo | undefined;
  /** undefined: not asked yet. */
  readonly models: readonly ModelEntry[] | undefined;
  readonly current: string | null;
  /** Chosen for the next new conversation; null: the server's default. */
  readonly chosen: string | null;
  readonly loading: Loading | undefined;
  readonly error: ApiError | undefined;
}

export const modelStore = createStore<Models>({
  server: undefined,
  models: undefined,
  current: null,
  chosen: null,
  loading: undefined,
  error: undefined,
});

export async function refreshModels(): Promise<void> {
  const [server, list] = await Promise.all([request<ServerInfo>("GET", "server"), request<ModelList>("GET", "models")]);
  modelStore.set({ server, models: list.models, current: list.current });
}

let running: AbortController | undefined;

/** Brings a model into memory; a later call takes over from one under way. Failures are kept in the store. */
export async function loadModel(model: string): Promise<void> {
  running?.abort();
  const own = new AbortController();
  running = own;
  modelStore.set({ loading: { model, progress: undefined, startedAt: Date.now() }, error: undefined });
  try {
    const body: LoadRequest = { model };
    for await (const event of stream<LoadEvent>("POST", "models/load", body, own.signal)) {
      if (event.type === "load") showProgress(event.progress);
      else if (event.type === "error") modelStore.set({ error: event.error });
    }
  } catch (error) {
    if (own.signal.aborted) return;
    modelStore.set({ error: asApiError(error) });
  }
  if (running !== own) return;
  modelStore.set({ loading: undefined });
  await refreshModels().catch(() => undefined); // an unreachable server shows by itself (connection.ts)
}

function showProgress(progress: LoadProgress): void {
  modelStore.set(({ loading }) => (loading === undefined ? {} : { loading: { ...loading, progress } }));
}

/** The entry of `id`, or of the server's default for null. */
export function modelEntry({ models, server }: Models, id: string | null): ModelEntry | undefined {
  const wanted = id ?? server?.defaultModel ?? null;
  return models?.find((model) => model.id === wanted);
}
