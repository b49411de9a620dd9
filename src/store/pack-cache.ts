// Packed weights on disk: what an executor made of a model file once, kept in files of its own that the next start maps.
// A file is used only while all that its bytes depend on is the same text; anything else about it that is wrong (short,
// foreign, of another version, broken) makes it not there, and it is written anew. Least recently used files make room.
// Not here: what the bytes mean (device/cpu/), which model file they came from (engine/).
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { isOwnFile } from "./own-file.ts";
import { checkedData, encodeHeader, readHeader } from "./pack-header.ts";

/** What one file is to hold. */
export interface PackDescription {
  /** Absolute path of the model: what `list` shows and `remove` goes by. One file is kept for each. */
  readonly model: string;
  /** Everything the bytes depend on. */
  readonly text: string;
  readonly dataBytes: number;
}

/** A whole file. Nobody changes or cuts it: a new one takes its name, and whoever has the old one open keeps it. */
export interface PackFile {
  readonly path: string;
  /** A multiple of 2 MiB, so that the data can be mapped with large pages. */
  readonly dataOffset: number;
}

/** A file being written, under a temporary name until `finish`. */
export interface PackWriter {
  /** Where the bytes are already, before and after `finish`, as long as the file is not replaced. */
  readonly file: PackFile;
  /** The next bytes of the data. The caller may not change them until the promise resolves. */
  append(bytes: Uint8Array): Promise<void>;
  /** Throws unless all data was appended. Writes to the disk and gives the file its name. */
  finish(): Promise<void>;
  /** Removes what was written; does nothing after `finish`. */
  discard(): Promise<void>;
}

export interface KeptPack {
  readonly path: string;
  /** Undefined where the file is none of ours, or broken, or unfinished. */
  readonly model: string | undefined;
  /** Still being written, or left by a process that ended before it was done. */
  readonly unfinished: boolean;
  readonly bytes: number;
  readonly usedMs: number;
}

export interface PackCache {
  /** Smaller ones are packed faster than they are found. */
  readonly bytesLeast: number;
  /** The whole file of this description, and notes that it was used. Never throws: what cannot be read is not there. */
  find(description: PackDescription): Promise<PackFile | undefined>;
  /** Begins a file, or says in a sentence why none is written. Never throws. */
  create(description: PackDescription): Promise<PackWriter | { readonly refused: string }>;
  /** All files, the least recently used first. */
  list(): Promise<KeptPack[]>;
  /** Reads all files, the data too, and removes those that are not what was written; resolves with these. */
  check(): Promise<KeptPack[]>;
  /** Removes what is kept for a model; resolves with the bytes that this gave back. */
  remove(model: string): Promise<number>;
}

export interface PackCacheOptions {
  /** Default 32 MiB. */
  readonly bytesLeast?: number;
  /** All files together. Default 32 GiB. */
  readonly bytesMax?: number;
  /** Bytes free on the disk of a folder; a test gives its own. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

const BYTES_LEAST = 32 * 2 ** 20;
const BYTES_MAX = 32 * 2 ** 30;
/** A new file takes at most this share of what is free. */
const FREE_SHARE = 1 / 3;
const SUFFIX = ".pack";
const PART_SUFFIX = ".part";
/** A file under a temporary name that nobody wrote to for so long was left by a process that ended. */
const LEFTOVER_MS = 3_600_000;

let writersStarted = 0;

/** Where in the data folder packed weights are kept. */
export const packedFolder = (dataFolder: string): string => join(dataFolder, "packed");

/** A cache in `folder`, which is made when the first file is written. */
export function openPackCache(
  folder: string,
  { bytesLeast = BYTES_LEAST, bytesMax = BYTES_MAX, freeBytes = bytesFreeAt }: PackCacheOptions = {},
): PackCache {
  const pathOf = (model: string): string => {
    const stem = basename(model)
      .replace(/\.gguf$/i, "")
      .replaceAll(/[^\w.-]/g, "_")
      .slice(0, 80);
    return join(folder, `${stem}-${createHash("sha256").update(model).digest("hex").slice(0, 12)}${SUFFIX}`);
  };

  const list = async (): Promise<KeptPack[]> => {
    const packs = await Promise.all((await filesIn(folder, SUFFIX, PART_SUFFIX)).map(inspect));
    return packs.filter((pack) => pack !== undefined).sort((a, b) => a.usedMs - b.usedMs);
  };

  /** Why `bytes` more have no place; removes the least recently used files where that helps. */
  const makeRoom = async (path: string, bytes: number): Promise<string | undefined> => {
    if (bytes > bytesMax) return `they take ${megabytes(bytes)}, and all that is kept may take ${megabytes(bytesMax)}`;
    const free = await freeBytes(folder);
    if (bytes > free * FREE_SHARE)
      return `they take ${megabytes(bytes)}, more than a third of the ${megabytes(free)} that are free on the disk`;
    const others = (await list()).filter((pack) => pack.path !== path);
    let over = others.reduce((sum, pack) => sum + pack.bytes, bytes) - bytesMax;
    for (const pack of others.filter(({ unfinished }) => !unfinished)) {
      if (over <= 0) break;
      await rm(pack.path, { force: true });
      over -= pack.bytes;
    }
    return undefined;
  };

  return {
    bytesLeast,
    list,

    async find({ model, text, dataBytes }) {
      await removeLeftovers(folder);
      const path = pathOf(model);
      const handle = await open(path, "r").catch(() => undefined);
      if (handle === undefined) return undefined;
      try {
        if (!isOwnFile(await handle.stat())) return undefined;
        const header = await readHeader(handle);
        if (header === undefined || header.text !== text || header.dataBytes !== dataBytes) return undefined;
        const now = new Date();
        await utimes(path, now, now).catch(() => undefined); // a folder that may only be read
        return { path, dataOffset: header.dataOffset };
      } catch {
        return undefined;
      } finally {
        await handle.close();
      }
    },

    async create(description) {
      const path = pathOf(description.model);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await removeLeftovers(folder);
        const why = await makeRoom(path, description.dataBytes);
        if (why !== undefined) return { refused: `Packed weights are not kept: ${why}.` };
        return await startWriting(path, description);
      } catch (error) {
        return { refused: `Packed weights are not kept: ${(error as Error).message}.` };
      }
    },

    async check() {
      const broken: KeptPack[] = [];
      await removeLeftovers(folder);
      for (const pack of await list()) {
        if (pack.unfinished || (await isWhole(pack.path))) continue;
        await rm(pack.path, { force: true });
        broken.push(pack);
      }
      return broken;
    },

    async remove(model) {
      const path = pathOf(model);
      const bytes = (await stat(path).catch(() => undefined))?.size ?? 0;
      await rm(path, { force: true });
      return bytes;
    },
  };
}

async function startWriting(path: string, { model, text, dataBytes }: PackDescription): Promise<PackWriter> {
  const temporary = `${path}.${process.pid}-${writersStarted++}${PART_SUFFIX}`;
  const header = { model, text, dataBytes };
  const { dataOffset } = encodeHeader(header, 0);
  const handle = await open(temporary, "wx", 0o600);
  let position = 0;
  let crc = 0;
  let isOpen = true;
  let place = temporary;
  const end = async (): Promise<void> => {
    isOpen = false;
    await handle.close();
  };
  const discard = async (): Promise<void> => {
    if (!isOpen) return;
    await end();
    await rm(temporary, { force: true });
  };
  return {
    get file() {
      return { path: place, dataOffset };
    },
    async append(bytes) {
      const at = dataOffset + position;
      position += bytes.byteLength;
      crc = crc32(bytes, crc);
      await writeAll(handle, bytes, at);
    },
    async finish() {
      if (position !== dataBytes) throw new RangeError(`${position} bytes were written of ${dataBytes}`);
      try {
        await writeAll(handle, encodeHeader(header, crc).bytes, 0);
        await handle.sync();
        await end();
        await rename(temporary, path);
        place = path;
      } catch (error) {
        await discard();
        await rm(temporary, { force: true });
        throw error;
      }
    },
    discard,
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}

/** What `path` is; undefined where it went away meanwhile. */
async function inspect(path: string): Promise<KeptPack | undefined> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size, mtimeMs } = await handle.stat();
    const header = await readHeader(handle).catch(() => undefined);
    return { path, model: header?.model, unfinished: path.endsWith(PART_SUFFIX), bytes: size, usedMs: mtimeMs };
  } finally {
    await handle.close();
  }
}

async function isWhole(path: string): Promise<boolean> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const header = await readHeader(handle);
    return header !== undefined && (await checkedData(handle, header));
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const path of await filesIn(folder, PART_SUFFIX)) {
    const left = await stat(path).catch(() => undefined);
    if (left === undefined || Date.now() - left.mtimeMs <= LEFTOVER_MS) continue;
    await rm(path, { force: true }).catch(() => undefined); // a folder that may only be read
  }
}

/** Paths of the files whose names end so; none where there is no folder. */
async function filesIn(folder: string, ...suffixes: readonly string[]): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => suffixes.some((suffix) => name.endsWith(suffix))).map((name) => join(folder, name));
}

async function bytesFreeAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;
