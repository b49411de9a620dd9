// The models in memory: one at a time. Whoever needs a model takes a lease and gives it back; asking for another one waits
// until all leases of the present one are back, then closes it and loads the new one, first come, first served. Requests
// for a model that is being loaded share that load. An adapter is attached to its model, beside others, and stays. Not here:
// loading (injected), the list of models (store).
import { untilAborted } from "../base/abort.ts";
import { NotFoundError, isAbort, show } from "../base/errors.ts";
import type { OnProgress, Progress } from "../base/progress.ts";
import type { LanguageModel } from "../chat/types.ts";
import type { ListedModel } from "../store/index.ts";

/** Loads the model at `path`. */
export type LoadModel = (
  path: string,
  options: { onProgress: OnProgress; signal: AbortSignal },
) => Promise<LanguageModel>;

/** What the pool needs of the model list. */
export interface ModelCatalogue {
  list(): Promise<ListedModel[]>;
  find(name: string): Promise<ListedModel>;
}

/** The right to use a model until `release` (or the end of its `using` block). */
export interface Lease extends Disposable {
  readonly name: string;
  readonly model: LanguageModel;
  release(): void;
}

export interface PoolState {
  readonly name: string;
  readonly state: "loading" | "loaded";
  readonly progress?: Progress;
  readonly model?: LanguageModel;
  /** The model with adapters, by their names. */
  readonly adapted: ReadonlyMap<string, LanguageModel>;
}

export interface ModelPool {
  /**
   * A lease of the model called `name`; without a name, of the default. Throws NotFoundError, what loading throws, and
   * AbortError when `signal` fires while waiting (a load under way goes on).
   */
  acquire(name: string | undefined, options?: { signal?: AbortSignal; onProgress?: OnProgress }): Promise<Lease>;
  /** What answers when no model is named: as configured, else the one in memory, else the newest that is no checkpoint, else the built-in. */
  defaultName(): Promise<string | undefined>;
  /** The model in memory or on its way there; the latest asked for, when several wait. */
  state(): PoolState | undefined;
  readonly catalogue: ModelCatalogue;
  /** Aborts a load under way, waits for leases and closes the model. */
  close(): Promise<void>;
}

/** One model's stay in memory. */
interface Stay {
  /** What it was loaded from. */
  readonly entry: ListedModel;
  readonly ready: Promise<LanguageModel>;
  readonly listeners: Set<OnProgress>;
  /** Settles when the last lease is back and no other request can join any more. */
  readonly left: PromiseWithResolvers<void>;
  leases: number;
  ended: boolean;
  progress: Progress | undefined;
  model: LanguageModel | undefined;
  /** By name: what was attached to the model, or is being. */
  readonly adapted: Map<string, Adapted>;
}

interface Adapted {
  readonly entry: ListedModel;
  readonly ready: Promise<LanguageModel>;
  model: LanguageModel | undefined;
}

/** Makes the pool; nothing is loaded before the first lease. */
export function createModelPool(options: {
  catalogue: ModelCatalogue;
  load: LoadModel;
  defaultModel?: string;
}): ModelPool {
  const { catalogue, load } = options;
  const closing = new AbortController();
  let latest: Stay | undefined;

  const startStay = (entry: ListedModel, previous: Stay | undefined): Stay => {
    const stay: Stay = {
      entry,
      ready: Promise.resolve().then(async () => {
        await previous?.left.promise;
        await previous?.model?.close();
        if (stay.leases === 0 || closing.signal.aborted) {
          if (latest === stay) latest = undefined; // at once: nobody may join what is given up
          throw new DOMException("Nobody waits for the model any more.", "AbortError");
        }
        const model = await load(entry.path, {
          signal: closing.signal,
          onProgress(progress) {
            stay.progress = progress;
            for (const listener of stay.listeners) listener(progress);
          },
        });
        stay.model = model;
        return model;
      }),
      listeners: new Set(),
      left: Promise.withResolvers(),
      leases: 0,
      ended: false,
      progress: undefined,
      model: undefined,
      adapted: new Map(),
    };
    stay.ready.catch(() => {
      // The next request tries again, in place of this one.
      if (latest === stay) latest = undefined;
    });
    return stay;
  };

  /** The stay's model with an adapter; attached anew where the files under its name are others. */
  const attached = async (stay: Stay, entry: ListedModel): Promise<LanguageModel> => {
    const base = await stay.ready;
    const known = stay.adapted.get(entry.name);
    if (known !== undefined && isSame(known.entry, entry)) return await known.ready;
    const adapted: Adapted = {
      entry,
      ready: Promise.resolve().then(async () => {
        await known?.ready.then((model) => model.close()).catch(() => undefined); // one that failed is nowhere
        adapted.model = await base.attach(entry.path, { name: entry.name });
        return adapted.model;
      }),
      model: undefined,
    };
    stay.adapted.set(entry.name, adapted);
    adapted.ready.catch(() => {
      // the next request tries again
      if (stay.adapted.get(entry.name) === adapted) stay.adapted.delete(entry.name);
    });
    return await adapted.ready;
  };

  const giveBack = (stay: Stay) => {
    stay.leases--;
    if (stay.leases === 0 && stay.ended) stay.left.resolve();
  };

  /** Lets nobody join the stay any more; `left` settles once its last lease is back. */
  const end = (stay: Stay | undefined) => {
    if (stay === undefined) return;
    stay.ended = true;
    stay.ready.then(
      () => stay.leases === 0 && stay.left.resolve(),
      () => stay.left.resolve(), // a failed load leaves nothing behind to wait for
    );
  };

  const defaultName = async () => {
    if (options.defaultModel !== undefined) return options.defaultModel;
    if (latest !== undefined) return latest.entry.name;
    const models = await catalogue.list();
    const own = models.filter(
      ({ builtIn, bytes, base, run }) => !builtIn && bytes !== null && base === undefined && run === undefined,
    );
    return (own.toSorted((a, b) => b.addedAt - a.addedAt)[0] ?? models.find((model) => model.builtIn))?.name;
  };

  return {
    catalogue,
    defaultName,

    async acquire(name, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const wanted = name ?? (await defaultName());
      if (wanted === undefined) throw new NotFoundError("There is no model yet.", { hint: "Pull or add one." });
      const asked = await catalogue.find(wanted);
      const entry = asked.base === undefined ? asked : await catalogue.find(asked.base);
      for (const { name, path, bytes } of [asked, entry]) {
        if (bytes === null) throw new NotFoundError(`The model ${show(name)} is gone from ${path}.`);
      }
      closing.signal.throwIfAborted();
      if (latest === undefined || !isSame(latest.entry, entry)) {
        const previous = latest;
        latest = startStay(entry, previous);
        end(previous);
      }
      const stay = latest;
      stay.leases++;
      if (onProgress !== undefined) stay.listeners.add(onProgress);
      try {
        const model = await orAbort(entry === asked ? stay.ready : attached(stay, asked), signal);
        let isBack = false;
        const release = () => {
          if (!isBack) giveBack(stay);
          isBack = true;
        };
        return { name: asked.name, model, release, [Symbol.dispose]: release };
      } catch (error) {
        giveBack(stay);
        throw error;
      } finally {
        if (onProgress !== undefined) stay.listeners.delete(onProgress);
      }
    },

    state() {
      if (latest === undefined) return undefined;
      const { model, progress } = latest;
      const { name } = latest.entry;
      const adapted = new Map([...latest.adapted].flatMap(([name, { model }]) => (model ? [[name, model]] : [])));
      if (model !== undefined) return { name, state: "loaded", model, adapted };
      return { name, state: "loading", progress, adapted };
    },

    async close() {
      closing.abort();
      const last = latest;
      latest = undefined;
      end(last);
      await last?.left.promise;
      await last?.model?.close();
    },
  };
}

/** Whether the files are the same too: a pull or an add may have put others under the name. */
function isSame(a: ListedModel, b: ListedModel): boolean {
  return a.name === b.name && a.path === b.path && a.addedAt === b.addedAt;
}

/** The promise, or AbortError as soon as the signal fires; the promise goes on by itself. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await untilAborted(promise, signal);
  } catch (error) {
    throw signal?.aborted && error === signal.reason ? abortError(signal) : error;
  }
}

function abortError(signal: AbortSignal): Error {
  return isAbort(signal.reason) ? (signal.reason as Error) : new DOMException("Aborted.", "AbortError");
}
