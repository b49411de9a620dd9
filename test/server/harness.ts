// What server tests share: an app over fake models and a database in memory, and readers of its answers.
import assert from "node:assert/strict";
import { NotFoundError } from "../../src/base/errors.ts";
import type { LanguageModel } from "../../src/chat/types.ts";
import { accessFor, createApp, type App, type AppOptions } from "../../src/server/index.ts";
import { openSqliteStorage, type ListedModel, type StaticFolder, type Storage } from "../../src/store/index.ts";
import { createFakeModel, type FakeModel, type FakeScript } from "./fake-model.ts";

export interface Harness extends AsyncDisposable {
  readonly app: App;
  readonly storage: Storage;
  /** Models loaded so far, oldest first. */
  readonly loaded: readonly FakeModel[];
  /** What failed inside. */
  readonly failures: readonly unknown[];
  request(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
  json<T>(path: string, init?: RequestInit): Promise<T>;
}

export const MODELS = ["org/first:Q4_K_M", "second"];

export async function createHarness(
  options: {
    script?: FakeScript;
    scripts?: Readonly<Record<string, FakeScript>>;
    page?: Readonly<Record<string, string>>;
    names?: readonly string[];
    beforeLoad?: (name: string) => Promise<void>;
    /** Real models in place of the fake ones. */
    open?: (name: string) => Promise<LanguageModel>;
  } & Partial<Pick<AppOptions, "access" | "defaultModel" | "runs">> = {},
): Promise<Harness> {
  const storage = openSqliteStorage(":memory:");
  const loaded: FakeModel[] = [];
  const failures: unknown[] = [];
  const listed = (options.names ?? MODELS).map((name, index): ListedModel => ({
    name,
    path: `/models/${name}`,
    bytes: 10,
    addedAt: 1000 - index,
    builtIn: false,
  }));
  const app = createApp({
    models: {
      list: async () => listed,
      async find(name) {
        const found = listed.find((model) => model.name === name);
        if (found === undefined) throw new NotFoundError(`There is no model called "${name}".`);
        return found;
      },
    },
    async load(path, { onProgress }) {
      const name = path.slice("/models/".length);
      onProgress({ label: "load", done: 5, total: 10, unit: "bytes" });
      await options.beforeLoad?.(name);
      if (options.open !== undefined) return await options.open(name);
      const model = createFakeModel(name, options.scripts?.[name] ?? options.script);
      loaded.push(model);
      return model;
    },
    storage,
    page: fakeFolder(options.page ?? {}),
    access: options.access ?? accessFor("127.0.0.1"),
    version: "1.2.3",
    dataFolder: "/data",
    ...(options.runs !== undefined && { runs: options.runs }),
    log: (error) => failures.push(error),
    defaultModel: options.defaultModel,
  });
  const request = async (path: string, init?: RequestInit) =>
    app.fetch(new Request(`http://127.0.0.1:8000${path}`, init));
  return {
    app,
    storage,
    loaded,
    failures,
    request,
    post: (path, body) =>
      request(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
    async json<T>(path: string, init?: RequestInit) {
      const response = await request(path, init);
      assert.ok(response.ok, `${path}: ${response.status}`);
      return (await response.json()) as T;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await storage.close();
    },
  };
}

function fakeFolder(files: Readonly<Record<string, string>>): StaticFolder {
  return {
    async read(path) {
      const text = files[path];
      return text === undefined ? undefined : new TextEncoder().encode(text);
    },
  };
}

/** The JSON events of a stream, as they come; "[DONE]" as text. */
export async function* readEvents<T>(response: Response): AsyncGenerator<T> {
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      if (block.startsWith(":")) continue;
      assert.ok(block.startsWith("data: "), block);
      const data = block.slice("data: ".length);
      yield (data === "[DONE]" ? data : JSON.parse(data)) as T;
    }
  }
  assert.equal(rest, "", "the stream ends after a whole event");
}

/** All events of a stream. */
export const allEvents = <T>(response: Response): Promise<T[]> => collect(readEvents<T>(response));

/** Everything that comes. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The error of a failed answer. */
export async function errorOf(response: Response): Promise<{
  status: number;
  message: string;
  type: string;
  code: string;
  param: string | null;
}> {
  const { error } = (await response.json()) as {
    error: { message: string; type: string; code: string; param: string | null };
  };
  return { status: response.status, ...error };
}

/** A door that waits: `pass()` lets one through, `open()` all. */
export function createGate() {
  const waiting: (() => void)[] = [];
  const state = { isOpen: false, passes: 0 };
  return {
    async wait() {
      if (state.isOpen || state.passes-- > 0) return;
      state.passes = 0;
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    pass() {
      const next = waiting.shift();
      if (next === undefined) state.passes++;
      else next();
    },
    open() {
      state.isOpen = true;
      for (const next of waiting.splice(0)) next();
    },
  };
}

/** Waits until `condition` holds; fails after two seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const startMs = Date.now();
  while (!condition()) {
    assert.ok(Date.now() - startMs < 2000, `waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
