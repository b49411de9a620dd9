// Fetches one file so that what lies under its name is whole and right, always: it grows as NAME.part beside a note of
// which version it is (NAME.part.json), goes on where it stopped, is hashed as it comes, and gets its name at the end. One
// process at a time does so (NAME.part.lock).
import { createHash, type Hash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { LiangError } from "../../base/errors.ts";
import { errorCode, holdLock } from "../lock-file.ts";
import { type HubAccess, PassingError, chunksOf, get, withRetries } from "./http.ts";
import type { HubFile } from "./listing.ts";

export interface DownloadOptions extends HubAccess {
  readonly url: string;
  readonly file: HubFile;
  /** Where it goes. */
  readonly path: string;
  /** Bytes of this file that are there; `label` "check" while old bytes are hashed. */
  readonly onBytes: (label: "check" | "download", bytes: number) => void;
  /** Something the user should know, in a sentence: a download that could not go on but begins again. */
  readonly onNotice: (text: string) => void;
}

/**
 * Makes `path` the hub's file; gives the bytes that were fetched (0 when it was there already). Throws what `get` throws,
 * LiangError "hash_mismatch" (what came is deleted), "size_mismatch", "locked" while another process fetches the file.
 */
export async function downloadFile(options: DownloadOptions): Promise<{ fetchedBytes: number }> {
  const { file, path } = options;
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  await using lock = await holdLock(`${part}.lock`, options.signal);
  if (lock === undefined) {
    throw new LiangError("locked", `${file.path} is being fetched by another process: pull again when that has ended.`);
  }
  const present = await stat(path).catch(() => undefined);
  if (present?.size === file.bytes && (await isSame(options, path))) return { fetchedBytes: 0 };

  const note = `${part}.json`;
  const { hash, fetchedBytes } = await growPart(options, part, note);
  const expected = file.sha256 ?? file.gitSha1;
  if (expected !== undefined && hash !== expected) {
    await rm(part, { force: true });
    await rm(note, { force: true });
    const kind = file.sha256 === undefined ? "hash" : "SHA-256";
    const hint = "Pull again; if it repeats, give another hub with --endpoint (or HF_ENDPOINT).";
    const message = `${file.path} has the ${kind} ${hash}, expected ${expected}; it was deleted.`;
    throw new LiangError("hash_mismatch", message, { hint });
  }
  await rename(part, path);
  await rm(note, { force: true });
  return { fetchedBytes };
}

/** Fetches what the part lacks, from where it ends, over as many connections as it takes; gives the hash of all of it. */
async function growPart(options: DownloadOptions, part: string, note: string) {
  const { file, signal } = options;
  let known = await readNote(note, file);
  if (known === undefined) await rm(part, { force: true });
  await using handle = await open(part, "a+");
  let doneBytes = (await handle.stat()).size;
  let hash = startHash(file);
  let fetchedBytes = 0;
  let restarts = 0;

  const startOver = async () => {
    await handle.truncate(0);
    doneBytes = 0;
    hash = startHash(file);
    known = undefined; // the next request asks for the whole file, whatever version the part was of
  };

  const fetchRest = async () => {
    const from = doneBytes;
    const headers: Record<string, string> = {};
    if (from > 0) headers["range"] = `bytes=${from}-`;
    if (from > 0 && known?.etag !== undefined) headers["if-range"] = known.etag;
    const response = await get(options.url, options, file.path, { headers, also: from === 0 ? [] : [416] });
    if (from > 0 && rangeStart(response) !== from) {
      await response.body?.cancel();
      if (restarts++ === 0)
        options.onNotice(`${file.path}: the server cannot go on where it stopped; it begins again.`);
      if (restarts > RESTARTS_MAX)
        throw new LiangError("hub_failed", `${file.path}: the download keeps beginning again.`);
      await startOver();
      throw new PassingError(`${file.path}: the download begins again.`, { waitMs: 0 });
    }
    const totalBytes = totalOf(response);
    if (totalBytes !== undefined && totalBytes !== file.bytes) throw sizeMismatch(file, `${totalBytes}`);
    known = { etag: strongEtag(response), ...keyOf(file) };
    await writeFile(note, JSON.stringify(known));
    for await (const chunk of chunksOf(response, signal)) {
      if (doneBytes + chunk.byteLength > file.bytes) {
        await startOver();
        throw sizeMismatch(file, "more");
      }
      await handle.appendFile(chunk).catch(asDiskFull);
      hash.update(chunk);
      doneBytes += chunk.byteLength;
      fetchedBytes += chunk.byteLength;
      options.onBytes("download", doneBytes);
    }
    if (doneBytes < file.bytes) throw new PassingError(`${file.path}: the connection broke at ${doneBytes} bytes.`);
  };

  if (doneBytes > file.bytes) await startOver();
  await hashBytes(handle, doneBytes, hash, options);
  if (doneBytes < file.bytes) await withRetries(options, fetchRest, () => doneBytes);
  await handle.sync();
  return { hash: hash.digest("hex"), fetchedBytes };
}

// A server that cannot resume and a network that breaks could go on for ever.
const RESTARTS_MAX = 5;

function sizeMismatch(file: HubFile, found: string): LiangError {
  return new LiangError("size_mismatch", `${file.path} has ${found} bytes, the hub lists ${file.bytes}.`, {
    hint: "It may be changing just now: pull again later.",
  });
}

function asDiskFull(error: unknown): never {
  if (errorCode(error) !== "ENOSPC") throw error;
  const hint = "Free some room and pull again: it goes on from here.";
  throw new LiangError("disk_full", "The disk is full.", { cause: error, hint });
}

interface Note {
  readonly etag: string | undefined;
  readonly bytes: number;
  readonly hash: string | undefined;
}

const keyOf = (file: HubFile) => ({ bytes: file.bytes, hash: file.sha256 ?? file.gitSha1 });

/** The note of a part of this very version; undefined when there is none, or it is of another. */
async function readNote(path: string, file: HubFile): Promise<Note | undefined> {
  try {
    const note = JSON.parse(await readFile(path, "utf8")) as Partial<Note>;
    const { bytes, hash } = keyOf(file);
    if (note.bytes !== bytes || note.hash !== hash) return undefined;
    const etag = typeof note.etag === "string" ? note.etag : undefined;
    // With neither a hash nor an ETag nothing would tell two versions apart.
    return etag === undefined && hash === undefined ? undefined : { etag, bytes, hash };
  } catch {
    return undefined;
  }
}

/** Where the bytes of an answer begin. Some hubs send a part with status 200; its Content-Range tells. */
function rangeStart(response: Response): number | undefined {
  if (response.status === 416) return undefined;
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (start !== undefined) return Number(start);
  return response.status === 200 ? 0 : undefined;
}

/** The size of the whole file, as the answer tells it; undefined when it does not. */
function totalOf({ headers }: Response): number | undefined {
  const range = headers.get("content-range");
  const text = range === null ? headers.get("content-length") : range.slice(range.indexOf("/") + 1);
  if (text === null || !/^\d+$/.test(text) || headers.has("content-encoding")) return undefined;
  return Number(text);
}

/** Only a strong ETag promises the same bytes. */
function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get("etag") ?? undefined;
  return etag?.startsWith('"') ? etag : undefined;
}

function startHash(file: HubFile): Hash {
  if (file.sha256 !== undefined || file.gitSha1 === undefined) return createHash("sha256");
  return createHash("sha1").update(`blob ${file.bytes}\0`);
}

async function isSame(options: DownloadOptions, path: string): Promise<boolean> {
  const { file } = options;
  const expected = file.sha256 ?? file.gitSha1;
  if (expected === undefined) return true;
  await using handle = await open(path, "r");
  const hash = startHash(file);
  await hashBytes(handle, file.bytes, hash, options);
  return hash.digest("hex") === expected;
}

const BLOCK_BYTES = 2 ** 20;

async function hashBytes(
  handle: FileHandle,
  bytes: number,
  hash: Hash,
  { signal, onBytes }: DownloadOptions,
): Promise<void> {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let offset = 0; offset < bytes;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, Math.min(BLOCK_BYTES, bytes - offset), offset);
    if (bytesRead === 0) return;
    hash.update(block.subarray(0, bytesRead));
    offset += bytesRead;
    onBytes("check", offset);
  }
}
