// The models of a page without a server: those that ship with it, and those whose files were opened since it began.
// Files are not kept: after a reload they are opened again. Not here: loading (chat/load-files.ts).
import { NotFoundError, show } from "../../../base/errors.ts";
import { sum } from "../../../base/collections.ts";
import type { LoadOptions } from "../../../chat/types.ts";
import { type ModelSource, load } from "../../../chat/load-files.ts";
import type { ModelCatalogue } from "../../../server/model-pool.ts";
import { nameFromFile } from "../../../store/model-name.ts";
import type { ListedModel } from "../../../store/models.ts";
import type { HostedFile } from "../protocol.ts";

export class PageModels implements ModelCatalogue {
  readonly #models = new Map<string, { readonly listed: ListedModel; readonly source: ModelSource }>();
  readonly #builtIn: readonly HostedFile[];

  constructor(builtIn: readonly HostedFile[]) {
    this.#builtIn = builtIn;
  }

  /** Puts a model's files on the list; one of the same name is replaced. Gives its name. */
  open(files: readonly File[]): string {
    const folder = /^[^/]+(?=\/)/.exec(files[0].webkitRelativePath ?? "")?.[0];
    const name = nameFromFile(folder ?? files[0].name);
    const bytes = sum(files.map(({ size }) => size));
    const listed = { name, path: files[0].name, bytes, addedAt: Date.now(), builtIn: false };
    this.#models.set(name, { listed, source: files });
    return name;
  }

  /** By name, those that ship with the page last, in their own order. */
  async list(): Promise<ListedModel[]> {
    for (const { name, address } of this.#builtIn) {
      if (this.#models.has(name)) continue;
      const listed = { name, path: address, bytes: await sizeAt(address), addedAt: 0, builtIn: true };
      this.#models.set(name, { listed, source: address });
    }
    const all = [...this.#models.values()].map(({ listed }) => listed);
    const opened = all.filter(({ builtIn }) => !builtIn).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return [...opened, ...all.filter(({ builtIn }) => builtIn)];
  }

  async find(name: string): Promise<ListedModel> {
    const found = (await this.list()).find((model) => model.name === name);
    if (found !== undefined) return found;
    throw new NotFoundError(
      `The model ${show(name)} is not open on this page. Open its file again, or choose another.`,
    );
  }

  /** Loads the model on the list whose path it is. */
  async load(path: string, options: LoadOptions) {
    const found = [...this.#models.values()].find(({ listed }) => listed.path === path);
    if (found === undefined) throw new NotFoundError(`There is no model at ${path}.`);
    return await load(found.source, options);
  }
}

/** Bytes of a small file on the page's host; null where it is not there. */
async function sizeAt(address: string): Promise<number | null> {
  const response = await fetch(address, { method: "HEAD" });
  if (!response.ok) return null;
  const told = Number(response.headers.get("content-length") ?? 0);
  return told > 0 ? told : (await (await fetch(address)).blob()).size; // not every host tells
}
