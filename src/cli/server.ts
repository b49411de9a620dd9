// What `serve` and `start` share: the app over the data folder, listening until the process is told to end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { UsageError } from "../base/errors.ts";
import { load } from "../chat/load.ts";
import type { LoadOptions } from "../chat/types.ts";
import { type ModelCatalogue, accessFor, createApp, serve } from "../server/index.ts";
import { builtInModels } from "../store/built-in.ts";
import {
  listWithAdapters,
  listWithFile,
  openDataFolder,
  openModelList,
  openRunReader,
  openSqliteStorage,
  openStaticFolder,
  runsFolder,
  withCheckpoints,
} from "../store/index.ts";
import { remarks } from "./open.ts";
import { note, out, paint } from "./terminal.ts";
import { version } from "./version.ts";

export interface ServerSettings {
  readonly port: number;
  readonly host?: string;
  readonly apiKey?: string;
  readonly model?: string;
  /** Paths of adapters of `model`, served beside it. */
  readonly adapters?: readonly string[];
  /** Other origins whose pages may call the API. */
  readonly origins?: readonly string[];
  readonly open: boolean;
  readonly loading: LoadOptions;
}

/** Serves until `signal` aborts. Throws LiangErrors such as "port_in_use" before anything is printed. */
export async function runServer(settings: ServerSettings, signal: AbortSignal): Promise<void> {
  const { host = "127.0.0.1", model, adapters = [], apiKey: key, origins } = settings;
  if (adapters.length > 0 && model === undefined) {
    throw new UsageError("There are adapters and no model.", { field: "adapter", hint: "Name theirs: --model." });
  }
  const dataFolder = openDataFolder();
  const list = withCheckpoints(openModelList(dataFolder, builtInModels), runsFolder(dataFolder));
  const named = model === undefined ? undefined : await withModel(list, model, adapters);
  const storage = openSqliteStorage(dataFolder);
  const remark = remarks();
  const app = createApp({
    models: named?.models ?? list,
    async load(path, options) {
      const loaded = await load(path, { ...settings.loading, ...options });
      remark(loaded);
      return loaded;
    },
    storage,
    runs: openRunReader(runsFolder(dataFolder)),
    page: openStaticFolder(fileURLToPath(new URL("../../dist/web", import.meta.url))),
    access: accessFor(host, { key, origins }),
    version: await version(),
    dataFolder,
    ...(named === undefined ? {} : { defaultModel: named.name }),
    log: (error) => note(`liang: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
  const server = await serve({ app, port: settings.port, host });
  out(`Liang listens at ${paint("accent", server.url)} ${paint("faint", "(Ctrl-C ends it)")}`);
  if (settings.open) openInBrowser(server.url);
  if (!signal.aborted) await once(signal, "abort");
  await server.close();
  await storage.close();
}

/** The catalogue and the name that `model` has in it: a name on the list, or a path that is then shown with it; so adapters. */
async function withModel(
  list: ReturnType<typeof openModelList>,
  model: string,
  adapters: readonly string[],
): Promise<{ name: string; models: ModelCatalogue }> {
  const known = await list.find(model).catch(() => undefined);
  const path = known?.path ?? (await list.resolve(model));
  const listed = known ?? (await list.list()).find((entry) => entry.path === path);
  const models = listed === undefined ? await listWithFile(list, path) : list;
  const name = listed?.name ?? (models as Awaited<ReturnType<typeof listWithFile>>).name;
  return {
    name,
    models: adapters.length === 0 ? models : await listWithAdapters(models, listed?.base ?? name, adapters),
  };
}

/** Asks the desktop to open an address; where there is none, the printed address is enough. */
function openInBrowser(url: string): void {
  const [program, ...words] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler"]
        : ["xdg-open"];
  const child = spawn(program, [...words, url], { stdio: "ignore", detached: true });
  child.on("error", () => note(paint("faint", "open the address in your browser", process.stderr)));
  child.unref();
}
