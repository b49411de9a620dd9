// A repository on a hub: what it holds, and a fetch of some of its files into a folder, each checked, with one progress over
// all of them. Stopped at any point, the next fetch goes on from there. Not here: which files are wanted (choose.ts,
// choose-data.ts), one file's download (download.ts).
import { mkdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { LiangError, UsageError, show } from "../../base/errors.ts";
import type { OnProgress } from "../../base/progress.ts";
import { isSafeSegment, parseModelName } from "../model-name.ts";
import { downloadFile } from "./download.ts";
import type { HubAccess } from "./http.ts";
import { type HubFile, type HubKindName, type RepositoryKind, hubKinds } from "./listing.ts";

/** Short names for `endpoint`. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  huggingface: "https://huggingface.co",
  "hf-mirror": "https://hf-mirror.com",
  modelscope: "https://www.modelscope.cn",
};

export interface PullOptions {
  /** "org/name", or "org/name:part": of a model a GGUF's name or its format (Q8_0), of a data set a file, folder or kind. */
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

export interface Repository {
  readonly org: string;
  readonly name: string;
  /** org/name. */
  readonly id: string;
  /** What was asked for behind the colon. */
  readonly wish: string | undefined;
  /** Its address on the hub. */
  readonly source: string;
  /** Throws NotFoundError, LiangErrors "gated", "no_network", FormatError. */
  list(): Promise<HubFile[]>;
  /** Gives the paths of the files in `place`, in their order, and the bytes that came now. Throws as `pullModel` does. */
  fetch(files: readonly HubFile[], place: string): Promise<{ paths: string[]; fetchedBytes: number }>;
}

const WORDS = { models: "model", datasets: "data set" } as const satisfies Record<RepositoryKind, string>;

/** Reaches for nothing yet. Throws UsageError (name, endpoint). */
export function openRepository(what: RepositoryKind, options: PullOptions): Repository {
  const { org, name, file: wish } = parseModelName(options.name);
  if (org === undefined) {
    throw new UsageError(`The ${WORDS[what]} to pull is ${show(options.name)}, expected org/name or org/name:part.`, {
      field: "name",
    });
  }
  const { access, kind } = accessOf(options);
  const id = `${org}/${name}`;
  return {
    org,
    name,
    id,
    wish,
    source: what === "models" ? `${access.endpoint}/${id}` : `${access.endpoint}/${what}/${id}`,
    list: () => hubKinds[kind].list(access, what, id),
    fetch: async (files, place) => {
      const wanted = files.map((file) => ({
        file,
        path: join(place, ...safePath(id, file.path)),
        url: hubKinds[kind].fileUrl(access, what, id, file.path),
      }));
      const fetchedBytes = await fetchAll(id, wanted, place, access, options);
      return { paths: wanted.map(({ path }) => path), fetchedBytes };
    },
  };
}

interface WantedFile {
  readonly file: HubFile;
  readonly path: string;
  readonly url: string;
}

async function fetchAll(
  id: string,
  wanted: readonly WantedFile[],
  place: string,
  access: HubAccess,
  { onProgress, onNotice = () => undefined, freeBytes = freeBytesOf }: PullOptions,
): Promise<number> {
  const total = wanted.reduce((sum, { file }) => sum + file.bytes, 0);
  onNotice(`${id}: ${wanted.length === 1 ? wanted[0].file.path : `${wanted.length} files`}, ${mb(total)}`);
  await mkdir(place, { recursive: true });
  const missing = await Promise.all(
    wanted.map(async ({ file, path }) => file.bytes - (await bytesThere(path, file.bytes))),
  );
  await checkDisk(
    place,
    missing.reduce((sum, bytes) => sum + bytes, 0),
    freeBytes,
  );
  const report = throttled(onProgress);
  let before = 0;
  let fetchedBytes = 0;
  for (const { file, path, url } of wanted) {
    const onBytes = (label: string, bytes: number) => report({ label, done: before + bytes, total, unit: "bytes" });
    const done = await downloadFile({ ...access, url, file, path, onNotice, onBytes });
    fetchedBytes += done.fetchedBytes;
    before += file.bytes;
  }
  onProgress?.({ label: "download", done: total, total, unit: "bytes" });
  return fetchedBytes;
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
