// Machine code on disk, a kernel a file: found again only for the very same source (every instruction of the traced kernel,
// and for which machine) by the very same emitter (the text of all modules that could tell what becomes of it), so that no
// start emits what another one did. What is found runs, so only
// files that this user alone can write are read. Where modules changed since the process began, what it runs is not what
// the folder says: nothing is found or kept then. Synchronous: some twenty files of a few KB.
// Not here: what the source says, and running code (device/cpu/code.ts).
import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { isOwnFile } from "./own-file.ts";

export interface CodeCache {
  /** Code that was kept for this source. Never throws. */
  find(source: string): Uint8Array | undefined;
  /** Keeps code for the next start; does nothing where it cannot. */
  keep(source: string, code: Uint8Array): void;
}

/** Where in the data folder machine code is kept. */
export const codeFolder = (dataFolder: string): string => join(dataFolder, "code");

const MAGIC = "liangcode 1\n";
const KEY_BYTES = 32; // SHA-256
const CODE_OFFSET = MAGIC.length + KEY_BYTES + 4;
const SUFFIX = ".bin";
/** Files that are kept; at twice as many the older half goes. A model has twenty or thirty kernels of 10 KB. */
const FILES_MAX = 500;

let writesStarted = 0;

export interface CodeCacheOptions {
  /** Since when modules may have been loaded. */
  readonly processStartMs?: number;
  /** How many files are kept. */
  readonly filesMax?: number;
}

/** `emitter`: the folder of the modules that make code of a source, in it or below. */
export function openCodeCache(
  folder: string,
  emitter: URL,
  { processStartMs = performance.timeOrigin, filesMax = FILES_MAX }: CodeCacheOptions = {},
): CodeCache {
  let version: Buffer | undefined;
  const keyOf = (source: string): Buffer => {
    version ??= hashOfModules(emitter, processStartMs);
    return createHash("sha256").update(version).update(source).digest();
  };
  const pathOf = (key: Buffer): string => join(folder, key.toString("hex").slice(0, 32) + SUFFIX);

  return {
    find(source) {
      try {
        const key = keyOf(source);
        const bytes = readOwn(pathOf(key));
        const head = Buffer.concat([Buffer.from(MAGIC), key]);
        if (bytes === undefined || bytes.length < CODE_OFFSET) return undefined;
        if (!bytes.subarray(0, head.length).equals(head)) return undefined;
        const code = bytes.subarray(CODE_OFFSET);
        return crc32(code) === bytes.readUInt32LE(head.length) ? code : undefined;
      } catch {
        return undefined;
      }
    },

    keep(source, code) {
      let temporary: string | undefined;
      try {
        const key = keyOf(source);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        removeOldest(folder, filesMax);
        const check = Buffer.alloc(4);
        check.writeUInt32LE(crc32(code));
        temporary = `${pathOf(key)}.${process.pid}-${writesStarted++}.part`;
        writeFileSync(temporary, Buffer.concat([Buffer.from(MAGIC), key, check, code]), { mode: 0o600 });
        renameSync(temporary, pathOf(key));
      } catch {
        // emitted again next time
        if (temporary !== undefined) rmSync(temporary, { force: true });
      }
    },
  };
}

/** A hash of a folder's modules and of those below it, tests left out. Throws where one was written after `beforeMs`. */
function hashOfModules(folder: URL, beforeMs: number): Buffer {
  const hash = createHash("sha256");
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const names = all.filter((name) => /\.[jt]s$/.test(name) && !/\.test\.[jt]s$/.test(name));
  for (const name of names.sort()) {
    const path = join(fileURLToPath(folder), name);
    // packages set the time of modification; that of the inode's change is the system's
    if (statSync(path).ctimeMs > beforeMs) throw new RangeError(`${path} has changed since the process began`);
    hash.update(name).update(readFileSync(path));
  }
  return hash.digest();
}

/** The bytes of a file that nobody else could have written. */
function readOwn(path: string): Buffer | undefined {
  const descriptor = openSync(path, "r");
  try {
    return isOwnFile(fstatSync(descriptor)) ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes that the machine code kept in a folder takes. */
export function keptCodeBytes(folder: string): number {
  try {
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0; // nothing was kept yet
  }
}

function removeOldest(folder: string, filesMax: number): void {
  const names = readdirSync(folder);
  if (names.length < 2 * filesMax) return;
  const files = names.map((name) => ({ path: join(folder, name), ms: statSync(join(folder, name)).mtimeMs }));
  files.sort((a, b) => a.ms - b.ms);
  for (const { path } of files.slice(0, files.length - filesMax)) rmSync(path, { force: true });
}
