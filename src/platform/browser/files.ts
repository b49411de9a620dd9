// Files of a page: those that a person opened, kept here under paths of their own, and those that a server has, whose
// paths are their addresses. Read by range. There are no folders to write to: whatever writes is refused with the reason.
import { FormatError, LiangError, NotFoundError, UnsupportedError } from "../../base/errors.ts";
import { type ByteSource, checkRange } from "../../base/source.ts";
import type { FileFacts, FolderEntry, Platform } from "../platform.ts";
import { wholeFiles } from "../whole-file.ts";
import { host } from "./host.ts";

/** Begins the paths of opened files: "/opened/1/model.gguf". */
const OPENED = "/opened/";
const opened = new Map<string, File>();
let timesOpened = 0;

export interface OpenedFiles extends Disposable {
  /** The folder in which the files lie under their names. */
  readonly folder: string;
  /** Forgets the files. */
  readonly close: () => void;
}

/** Gives files that a person opened a folder of their own. Throws FormatError for two of one name. */
export function openedFiles(files: readonly File[]): OpenedFiles {
  const folder = `${OPENED}${++timesOpened}`;
  const paths = files.map((file) => `${folder}/${file.name}`);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new FormatError(splitPath(twice).name, "name", "of two files", "one file of a name");
  for (const [i, path] of paths.entries()) opened.set(path, files[i]);
  const close = (): void => paths.forEach((path) => opened.delete(path));
  return { folder, close, [Symbol.dispose]: close };
}

const isAddress = (path: string): boolean => /^[a-z]+:/.test(path);

export const openFile: Platform["openFile"] = async (path) => {
  const file = opened.get(path);
  const source = isAddress(path) ? await openAddress(path) : file && blobSource(path, file);
  if (source === undefined) throw new NotFoundError(`There is no file ${path}.`);
  return source;
};

function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, into) {
      checkRange(name, blob.size, offset, into.byteLength);
      const bytes = await blob
        .slice(offset, offset + into.byteLength)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw new LiangError("host_failed", `Cannot read ${name}: the file changed or is gone since it was opened.`, {
            hint: "Open it again.",
            cause,
          });
        });
      into.set(new Uint8Array(bytes));
    },
    async close() {},
  };
}

/** The first request asks for this much: small models and most headers come with it. */
const FIRST_BYTES = 4 << 20;

/** The last one opened: opening a model asks for its facts, its first bytes and its header, one after the other. */
let last: { readonly address: string; readonly source: Promise<ByteSource | undefined> } | undefined;

/** A server's file; undefined where there is nothing. */
function openAddress(address: string): Promise<ByteSource | undefined> {
  if (last?.address !== address) last = { address, source: sourceAt(address) };
  const { source } = last;
  source.catch(() => (last = undefined)); // the next one may be luckier
  return source;
}

/** By range where the server can, else whole. */
async function sourceAt(address: string): Promise<ByteSource | undefined> {
  const first = await ask(address, 0, FIRST_BYTES);
  if (first === undefined) return undefined;
  const size = first.status === 206 ? sizeOfRange(address, first) : undefined;
  const begin = await first.blob();
  if (size === undefined || size === begin.size) return blobSource(address, begin);
  return {
    name: address,
    size,
    async read(offset, into) {
      checkRange(address, size, offset, into.byteLength);
      if (into.byteLength === 0) return;
      const known = offset + into.byteLength <= begin.size;
      const found = known
        ? begin.slice(offset, offset + into.byteLength)
        : await range(address, offset, into.byteLength);
      into.set(new Uint8Array(await found.arrayBuffer()));
    },
    async close() {},
  };
}

async function range(address: string, offset: number, bytes: number): Promise<Blob> {
  const response = await ask(address, offset, bytes);
  const found = await response?.blob();
  if (response?.status !== 206 || found?.size !== bytes) {
    throw new FormatError(address, `bytes ${offset}..${offset + bytes}`, `${found?.size ?? 0} bytes`, `${bytes} bytes`);
  }
  return found;
}

/** A request for a range; undefined where there is nothing. Throws LiangError when the server does not answer it. */
async function ask(address: string, offset: number, bytes: number): Promise<Response | undefined> {
  const headers = { range: `bytes=${offset}-${offset + bytes - 1}` };
  const response = await fetch(address, { headers }).catch((cause: unknown) => {
    throw new LiangError("host_failed", `Cannot read ${address}: its server does not answer.`, { cause });
  });
  if (response.status === 404 || response.status === 410) return undefined;
  if (response.ok) return response;
  throw new LiangError("host_failed", `Cannot read ${address}: its server answers ${response.status}.`);
}

function sizeOfRange(address: string, response: Response): number {
  const found = response.headers.get("content-range");
  const size = Number(/\/(\d+)$/.exec(found ?? "")?.[1]);
  if (Number.isSafeInteger(size)) return size;
  throw new FormatError(address, "header content-range", found, "the size of the file");
}

export const { readBytes, readText } = wholeFiles(openFile);

export const packageFile: Platform["packageFile"] = async () => undefined;

export const fileFacts: Platform["fileFacts"] = async (path) => {
  if (isAddress(path)) return await factsOfAddress(path);
  const file = opened.get(path);
  if (file !== undefined) return { kind: "file", sizeBytes: file.size, modifiedMs: file.lastModified };
  return filesIn(path).length > 0 ? { kind: "folder", sizeBytes: 0, modifiedMs: 0 } : undefined;
};

/** An address that ends in a slash is a folder; whether it holds anything shows when its files are asked for. */
async function factsOfAddress(address: string): Promise<FileFacts | undefined> {
  if (address.endsWith("/")) return { kind: "folder", sizeBytes: 0, modifiedMs: 0 };
  const source = await openAddress(address);
  return source && { kind: "file", sizeBytes: source.size, modifiedMs: 0 };
}

export const listFolder: Platform["listFolder"] = async (path) => {
  if (isAddress(path)) throw new UnsupportedError(`${path} is a server's folder, which cannot be listed.`);
  const files = filesIn(path);
  if (files.length === 0) throw new NotFoundError(`There is no folder ${path}.`);
  return files;
};

function filesIn(folder: string): FolderEntry[] {
  const inside = [...opened].filter(([path]) => splitPath(path).folder === folder);
  return inside
    .map(([, { name, size, lastModified }]) => ({
      name,
      kind: "file" as const,
      sizeBytes: size,
      modifiedMs: lastModified,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const SLASH = "/";
export const joinPath: Platform["joinPath"] = (...parts) =>
  parts.reduce((path, part) => (path === "" || path.endsWith(SLASH) ? path + part : path + SLASH + part), "");
export const absolutePath: Platform["absolutePath"] = (path) => new URL(path, host.location?.href).href;
export const splitPath: Platform["splitPath"] = (path) => {
  const at = path.lastIndexOf(SLASH);
  return { folder: path.slice(0, Math.max(at, 0)), name: path.slice(at + 1) };
};

const refused = (what: string): never => {
  throw new UnsupportedError(`A page in a browser cannot ${what}.`, { hint: "Use liang on the command line." });
};
export const dataFolder: Platform["dataFolder"] = () => refused("keep a data folder");
export const createFileWriter: Platform["createFileWriter"] = async (path) => refused(`write ${path}`);
export const makeFolder: Platform["makeFolder"] = async (path) => refused(`make the folder ${path}`);
export const makeTemporaryFolder: Platform["makeTemporaryFolder"] = async () => refused("make a temporary folder");
export const remove: Platform["remove"] = async (path) => refused(`remove ${path}`);
export const move: Platform["move"] = async (path) => refused(`move ${path}`);
