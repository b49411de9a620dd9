// Pulls a model from a hub into the data folder and puts it on the list: list the repository, choose files, check the
// disk, fetch and check each one. Stopped at any point, the next pull goes on from there.
import { mkdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { LiangError, UsageError, show } from "../../base/errors.ts";
import type { OnProgress } from "../../base/progress.ts";
import { isSafeSegment, parseModelName } from "../model-name.ts";
import { type ListedModel, openModelList } from "../models.ts";
import { chooseFiles } from "./choose.ts";
import { downloadFile } from "./download.ts";
import type { HubAccess } from "./http.ts";
import { type HubFile, type HubKindName, hubKinds } from "./listing.ts";

/** Short names for `endpoint`. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  huggingface: "https://huggingface.co",
  "hf-mirror": "https://hf-mirror.com",
  modelscope: "https://www.modelscope.cn",
};

export interface PullOptions {
  /** "org/name", or "org/name:file" with a GGUF's name or its format (Q8_0). */
  readonly name: string;
  /** The data folder. */
  readonly folder: string;
  /** An address, or "huggingface", "hf-mirror", "modelscope". Default: HF_ENDPOINT, else huggingface. */
  readonly endpoint?: string;
  /** How the hub talks. Default: by the endpoint's host. */
  readonly kind?: HubKindName;
  /** Default: HF_TOKEN (for hubs of Hugging Face's kind). Sent to the endpoint's own host only. */
  readonly token?: string;
  /** Labels "check" (hashing what is there) and "download"; bytes of all files together. */
  readonly onProgress?: OnProgress;
  /** A sentence for the user, such as which files were chosen. */
  readonly onNotice?: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly attempts?: number;
  readonly retryDelayMs?: number;
  /** Free bytes on the disk of a folder; for tests. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export interface PulledModel {
  readonly model: ListedModel;
  readonly files: readonly HubFile[];
  /** Bytes that came over the network now; 0 when all was there. */
  readonly fetchedBytes: number;
}

/**
 * Pulls and lists a model. Throws UsageError (name, endpoint, several files fit), NotFoundError, LiangErrors "gated",
 * "no_network", "hash_mismatch", "size_mismatch", "disk_full", "bad_redirect", "locked", FormatError, AbortError.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const { folder, onProgress, onNotice = () => undefined, freeBytes = freeBytesOf } = options;
  const { org, name, file: wish } = parseModelName(options.name);
  if (org === undefined) {
    throw new UsageError(`The model to pull is ${show(options.name)}, expected org/name or org/name:file.`, {
      field: "name",
    });
  }
  const { access, kind } = accessOf(options);
  const id = `${org}/${name}`;
  const hub = hubKinds[kind];
  const choice = chooseFiles(id, await hub.list(access, id), wish);
  const place = join(folder, "models", org, name);
  const files = choice.files.map((file) => ({ file, path: join(place, ...safePath(id, file.path)) }));
  const totalBytes = files.reduce((sum, { file }) => sum + file.bytes, 0);
  onNotice(`${id}: ${files.length === 1 ? files[0].file.path : `${files.length} files`}, ${mb(totalBytes)}`);

  await mkdir(place, { recursive: true });
  const missing = await Promise.all(
    files.map(async ({ file, path }) => file.bytes - (await bytesThere(path, file.bytes))),
  );
  await checkDisk(
    place,
    missing.reduce((sum, bytes) => sum + bytes, 0),
    freeBytes,
  );

  const report = throttled(onProgress);
  let before = 0;
  let fetchedBytes = 0;
  for (const { file, path } of files) {
    const done = await downloadFile({
      ...access,
      url: hub.fileUrl(access, id, file.path),
      file,
      path,
      onNotice,
      onBytes: (label, bytes) => report({ label, done: before + bytes, total: totalBytes, unit: "bytes" }),
    });
    fetchedBytes += done.fetchedBytes;
    before += file.bytes;
  }
  onProgress?.({ label: "download", done: totalBytes, total: totalBytes, unit: "bytes" });

  const model = await openModelList(folder).add(choice.tag === undefined ? place : files[0].path, {
    name: choice.tag === undefined ? id : `${id}:${choice.tag}`,
    source: `${access.endpoint}/${id}`,
    replace: true,
  });
  return { model, files: choice.files, fetchedBytes };
}

function accessOf(options: PullOptions): { access: HubAccess; kind: HubKindName } {
  const given = options.endpoint ?? (process.env["HF_ENDPOINT"] || "huggingface");
  const text = (Object.hasOwn(ENDPOINTS, given) ? ENDPOINTS[given] : given).replace(/\/+$/, "");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
    throw new UsageError(`The endpoint is ${show(given)}, expected an address such as https://huggingface.co.`, {
      field: "endpoint",
      hint: `Or one of ${Object.keys(ENDPOINTS).join(", ")}.`,
    });
  }
  const kind = options.kind ?? (/(^|\.)modelscope\./.test(url.hostname) ? "modelscope" : "huggingface");
  const token = (options.token ?? (kind === "huggingface" ? process.env["HF_TOKEN"] : undefined)) || undefined;
  const { attempts, retryDelayMs, signal } = options;
  return { kind, access: { endpoint: text, token, attempts, retryDelayMs, signal } };
}

/** The parts of a path that a hub gave, none of which leads out of the folder. */
function safePath(id: string, path: string): string[] {
  const parts = path.split("/");
  if (parts.every(isSafeSegment)) return parts;
  throw new UsageError(`${id} has a file called ${show(path)}, which is no safe name on a disk.`);
}

/** Bytes of the file that need no room any more: its part, or all of it. */
async function bytesThere(path: string, bytes: number): Promise<number> {
  const sizes = await Promise.all(
    [path, `${path}.part`].map(async (one) => (await stat(one).catch(() => undefined))?.size),
  );
  return sizes[0] === bytes ? bytes : Math.min(sizes[1] ?? 0, bytes);
}

// Room that is left alone, for the list, notes and the system.
const SPARE_BYTES = 50e6;

async function checkDisk(place: string, needed: number, freeBytes: (folder: string) => Promise<number>): Promise<void> {
  if (needed === 0) return;
  const free = await freeBytes(place);
  if (needed + SPARE_BYTES <= free) return;
  throw new LiangError(
    "disk_full",
    `The download needs ${mb(needed + SPARE_BYTES)}, ${mb(free)} are free in ${place}.`,
    {
      hint: "Free some room, or set LIANG_HOME to a larger disk.",
    },
  );
}

const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const REPORT_EVERY_MS = 100;

/** Progress at most ten times a second: a fast network brings thousands of chunks. */
function throttled(onProgress: OnProgress | undefined): OnProgress {
  let nextMs = 0;
  return (progress) => {
    const now = Date.now();
    if (onProgress === undefined || now < nextMs) return;
    nextMs = now + REPORT_EVERY_MS;
    onProgress(progress);
  };
}
