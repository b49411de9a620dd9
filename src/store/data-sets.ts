// Data sets that were pulled: which files a name stands for. They lie in data/ORG/NAME of the data folder, and beside that
// folder a note, data/ORG/NAME.json, has the files of each name whose pull came to its end.
import { access, mkdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { FormatError, NotFoundError, UsageError } from "../base/errors.ts";
import { changeText, readText } from "./atomic-file.ts";
import { isSafeSegment } from "./model-name.ts";

interface Note {
  readonly version: 1;
  /** By what was pulled: its files, by their paths in the folder. */
  readonly pulled: Readonly<Record<string, { readonly source: string; readonly files: readonly string[] }>>;
}

/** A pull that has begun: until `whole` is called its name stands for nothing. */
export interface BegunDataSet {
  /** The folder for its files. */
  readonly path: string;
  whole(paths: readonly string[]): Promise<void>;
}

export async function noteDataSet(folder: string, name: string, source: string): Promise<BegunDataSet> {
  const path = join(folder, "data", ...name.split(":")[0].split("/"));
  const file = `${path}.json`;
  await mkdir(dirname(path), { recursive: true });
  const set = (files: readonly string[] | undefined): Promise<void> =>
    changeText(file, (text) => {
      const { [name]: _, ...others } = parseNote(file, text).pulled;
      const pulled = files === undefined ? others : { ...others, [name]: { source, files } };
      return `${JSON.stringify({ version: 1, pulled } satisfies Note, null, 2)}\n`;
    });
  await set(undefined);
  return { path, whole: (paths) => set(paths.map((one) => relative(path, one).split(sep).join("/"))) };
}

/**
 * The files and folders that a word of a command stands for: itself where it is there, else the files of the data set
 * pulled under that name. Throws NotFoundError where there is neither, UsageError for a pull that did not end.
 */
export async function dataSetPaths(folder: string, nameOrPath: string): Promise<string[]> {
  if (await isThere(nameOrPath)) return [nameOrPath];
  const [id, part] = nameOrPath.split(/:(.*)/s);
  const segments = id.split("/");
  if (segments.length !== 2 || !segments.every(isSafeSegment)) {
    throw new NotFoundError(`There is no file or folder ${nameOrPath}.`);
  }
  const pull = `liang pull --dataset ${nameOrPath}`;
  const path = join(folder, "data", ...segments);
  const text = await readText(`${path}.json`);
  if (text === undefined) {
    throw new NotFoundError(`There is no file or folder ${nameOrPath}, and no data set of that name was pulled.`, {
      hint: `${pull} fetches one.`,
    });
  }
  const { pulled } = parseNote(`${path}.json`, text);
  const found = Object.hasOwn(pulled, nameOrPath) ? pulled[nameOrPath] : undefined;
  if (found !== undefined) return found.files.map((file) => join(path, file));
  const names = Object.keys(pulled).join(", ");
  throw new UsageError(`${part === undefined ? "All" : part} of the data set ${id} is not there, or not whole.`, {
    hint: names === "" ? `${pull} goes on.` : `${pull} fetches it; there is ${names}.`,
  });
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function parseNote(file: string, text: string | undefined): Note {
  if (text === undefined) return { version: 1, pulled: {} };
  let note: Note;
  try {
    note = JSON.parse(text) as Note;
  } catch (cause) {
    throw new FormatError(file, "content", text.slice(0, 40), "JSON", { cause, hint: "Delete it and pull again." });
  }
  const { version, pulled } = note;
  const isNote =
    version === 1 && typeof pulled === "object" && Object.values(pulled).every(({ files }) => Array.isArray(files));
  if (isNote) return note;
  throw new FormatError(file, "content", text.slice(0, 40), "a note of pulled data", {
    hint: "Delete it and pull again.",
  });
}
