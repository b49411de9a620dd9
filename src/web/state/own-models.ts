// Models that the page itself runs, where it has no server: set by local/main.tsx before anything is drawn. Where it is
// undefined the page's server has the models.
import { asApiError } from "../api/client.ts";
import { chooseModel } from "./conversation.ts";
import { loadModel, modelStore, refreshModels } from "./models.ts";
import { focusOn } from "./places.ts";
import { createStore } from "./store.ts";

export interface OwnModels {
  /** Puts a model's files on the list and gives its name there. */
  readonly open: (files: readonly File[]) => Promise<string>;
  /** Whether its threads can share memory; else there is one. */
  readonly sharesMemory: boolean;
}

export const ownModels = createStore<{ own: OwnModels | undefined }>({ own: undefined });

/** Whether files are a model's rather than text for a message. */
export const areModelFiles = (files: readonly File[]): boolean =>
  files.some(({ name }) => /\.(gguf|safetensors)$/i.test(name));

/** Opens a model from files, chooses it and loads it. Failures are kept beside the models. */
export async function openModelFiles(files: readonly File[]): Promise<void> {
  const { own } = ownModels.get();
  if (own === undefined || files.length === 0) return;
  try {
    const name = await own.open(files);
    await refreshModels();
    focusOn("composer");
    await chooseModel(name);
    await loadModel(name);
  } catch (error) {
    modelStore.set({ error: asApiError(error) });
  }
}
