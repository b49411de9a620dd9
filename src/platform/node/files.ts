// Reading: files by range, small files whole, folders.
import { type FileHandle, mkdir, mkdtemp, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FormatError, NotFoundError } from "../../base/errors.ts";
import { type ByteSource, type SourceState, checkRange } from "../../base/source.ts";
import type { FileFacts, FolderEntry, Platform } from "../platform.ts";
import { wholeFiles } from "../whole-file.ts";
import { hostError, isMissing } from "./host-error.ts";

const READ_BYTES_MAX = 2 ** 30; // one system call takes less than 2^31

export const openFile: Platform["openFile"] = async (path) => {
  const facts = await fileFacts(path);
  if (facts === undefined) throw new NotFoundError(`There is no file ${path}.`);
  // asked before opening, because opening a pipe would wait for its writer
  if (facts.kind !== "file") throw new FormatError(path, "kind", facts.kind, "a file");
  const handle = await open(path, "r").catch((error: unknown) => hostError("read", path, error));
  try {
    // of the file that was opened: another one may have its name by now
    const state = await stateOf(handle);
    return fileSource(path, handle, state.size, { opened: state.text, now: async () => (await stateOf(handle)).text });
  } catch (error) {
    await handle.close();
    return hostError("read", path, error);
  }
};

export const packageFile: Platform["packageFile"] = async (name) =>
  new Uint8Array(await readFile(fileURLToPath(import.meta.resolve(name))));

async function stateOf(handle: FileHandle): Promise<{ readonly size: number; readonly text: string }> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return { size: Number(size), text: [dev, ino, size, mtimeNs, ctimeNs].join(" ") };
}

function fileSource(name: string, handle: FileHandle, size: number, state: SourceState): ByteSource {
  return {
    name,
    size,
    state,
    async read(offset, into) {
      checkRange(name, size, offset, into.byteLength);
      for (let done = 0; done < into.byteLength;) {
        const length = Math.min(into.byteLength - done, READ_BYTES_MAX);
        const { bytesRead } = await handle
          .read(into, done, length, offset + done)
          .catch((error: unknown) => hostError("read", name, error));
        // the file shrank since it was opened
        if (bytesRead === 0) throw new FormatError(name, "size", `${offset + done} bytes`, `${size} bytes`);
        done += bytesRead;
      }
    },
    close: () => handle.close(),
  };
}

export const { readBytes, readText } = wholeFiles(openFile);

export const fileFacts: Platform["fileFacts"] = async (path) => {
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    return hostError("read", path, error);
  });
  if (found === undefined) return undefined;
  const kind: FileFacts["kind"] = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
  return { kind, sizeBytes: found.size, modifiedMs: found.mtimeMs };
};

export const listFolder: Platform["listFolder"] = async (path) => {
  const names = await readdir(path).catch((error: unknown) => {
    if (isMissing(error)) throw new NotFoundError(`There is no folder ${path}.`);
    return hostError("read", path, error);
  });
  const entries: FolderEntry[] = [];
  for (const name of names.sort()) {
    const facts = await fileFacts(join(path, name));
    if (facts !== undefined) entries.push({ name, ...facts });
  }
  return entries;
};

export const makeFolder: Platform["makeFolder"] = async (path) => {
  await mkdir(path, { recursive: true }).catch((error: unknown) => hostError("make", path, error));
};

export const makeTemporaryFolder: Platform["makeTemporaryFolder"] = () => mkdtemp(join(tmpdir(), "liang-"));

export const remove: Platform["remove"] = async (path) => {
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => hostError("remove", path, error));
};

export const move: Platform["move"] = async (from, to) => {
  await rename(from, to).catch((error: unknown) => hostError("write", to, error));
};
