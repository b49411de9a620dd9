// A hub on this machine for tests: lists and serves repositories as Hugging Face or ModelScope do, from a front that
// redirects to a second server (their content network), and misbehaves as the test asks.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

// Whoever runs the tests may have them set.
delete process.env["HF_TOKEN"];
delete process.env["HF_ENDPOINT"];

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});
/** A data folder that is gone after the tests. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "liang-pull-"));
  folders.push(folder);
  return folder;
}

export interface HubFaults {
  /** Break the connection after so many bytes of a body, this many times. */
  cut?: { afterBytes: number; times: number };
  /** Answer the whole file whatever range is asked for. */
  ignoreRange?: boolean;
  /** Send parts with status 200 and a Content-Range, as some hubs do. */
  partStatus?: number;
  /** List this hash for every file. */
  listedSha256?: string;
  /** Needed by the front for anything. */
  token?: string;
  /** Status for a wrong or missing token. */
  refusal?: number;
  /** Answer these first, one a request for a file. */
  failures?: { status: number; headers?: Record<string, string> }[];
  /** Files a page of the listing. */
  pageSize?: number;
  /** Break the connection in the middle of the listing, this many times. */
  cutListing?: number;
  /** Answer to the listing in place of the real one. */
  listing?: string;
  /** Send weak or no ETags. */
  etag?: (path: string) => string | undefined;
  /** Wait after the first chunk of every body. */
  stall?: Promise<void>;
  /** More bytes than the listing says. */
  extraBytes?: number;
}

export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Requests for files at the content network, and at the front. */
  readonly fileRequests: { path: string; headers: IncomingMessage["headers"] }[];
  readonly frontRequests: { path: string; headers: IncomingMessage["headers"] }[];
  /** Bytes of files that were sent. */
  sentBytes: number;
  faults: HubFaults;
  files: Record<string, Uint8Array>;
}

export async function startHub(
  kind: "huggingface" | "modelscope",
  id: string,
  files: Record<string, Uint8Array>,
  faults: HubFaults = {},
  what: "models" | "datasets" = "models",
): Promise<HubServer> {
  const content = createServer((request, response) => void serveFile(hub, request, response));
  const contentPort = await listen(content);
  const front = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://hub");
    hub.frontRequests.push({ path: url.pathname + url.search, headers: request.headers });
    const { token, refusal = 401 } = hub.faults;
    const isRefused = token !== undefined && request.headers.authorization !== `Bearer ${token}`;
    const listing = listings[kind](hub, what, id, url);
    const path = filePaths[kind](what, id, url);
    if (isRefused) response.writeHead(refusal).end();
    else if (listing !== undefined && (hub.faults.cutListing ?? 0) > 0) {
      hub.faults.cutListing!--;
      response.writeHead(200, listing.headers).write("[", () => response.destroy());
    } else if (listing !== undefined) {
      response.writeHead(200, listing.headers).end(hub.faults.listing ?? JSON.stringify(listing.body));
    } else if (path !== undefined) {
      const location = `http://127.0.0.1:${contentPort}/${path}?signature=x`;
      response.writeHead(302, { location }).end();
    } else response.writeHead(404).end();
  });
  const port = await listen(front);
  const hub: HubServer = {
    endpoint: `http://127.0.0.1:${port}`,
    fileRequests: [],
    frontRequests: [],
    sentBytes: 0,
    faults,
    files,
    async [Symbol.asyncDispose]() {
      for (const server of [front, content]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  return hub;
}

type What = "models" | "datasets";

/** The file, in the spelling of addresses, that a request to the front is for. */
const filePaths = {
  huggingface(what: What, id: string, { pathname }: URL): string | undefined {
    const prefix = `${what === "models" ? "" : "/datasets"}/${id}/resolve/main/`;
    return pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
  },
  modelscope(what: What, id: string, { pathname, searchParams }: URL): string | undefined {
    const prefix = `/models/${id}/resolve/master/`;
    if (what === "models") return pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
    if (pathname !== `/api/v1/datasets/${id}/repo` || searchParams.get("Revision") !== "master") return undefined;
    return searchParams.get("FilePath") ?? undefined;
  },
};

type Listing = { body: unknown; headers?: Record<string, string> } | undefined;

const listings = {
  huggingface(hub: HubServer, what: What, id: string, url: URL): Listing {
    if (url.pathname !== `/api/${what}/${id}/tree/main` || url.searchParams.get("recursive") !== "true")
      return undefined;
    const all = Object.entries(hub.files).map(([path, bytes]) => {
      // Small files are in git itself, large ones behind pointers.
      const isLarge = /\.(gguf|safetensors|parquet)$/.test(path);
      const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
      const lfs = { oid: hub.faults.listedSha256 ?? sha256(bytes), size: bytes.length, pointerSize: 134 };
      return { type: "file", oid, size: bytes.length, path, ...(isLarge ? { lfs } : {}) };
    });
    const { pageSize = 1000 } = hub.faults;
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const rest = start + pageSize < all.length;
    const next = `<https://other.example${url.pathname}?recursive=true&cursor=${start + pageSize}>; rel="next"`;
    return {
      body: [{ type: "directory", oid: "0", size: 0, path: "folder" }, ...all.slice(start, start + pageSize)],
      headers: rest ? { link: next } : {},
    };
  },
  modelscope(hub: HubServer, what: What, id: string, url: URL): Listing {
    const listed = `/repo/${what === "models" ? "files" : "tree"}`;
    if (!url.pathname.startsWith(`/api/v1/${what}/`) || !url.pathname.endsWith(listed)) return undefined;
    if (url.pathname !== `/api/v1/${what}/${id}${listed}`) {
      return { body: { Code: 10010205001, Message: "record not found", Success: false, Data: null } };
    }
    const all = Object.entries(hub.files).map(([path, bytes]) => ({
      Name: path.split("/").at(-1),
      Path: path,
      Type: "blob",
      Size: bytes.length,
      Sha256: hub.faults.listedSha256 ?? sha256(bytes),
      IsLFS: false,
    }));
    const folder = { Name: "folder", Path: "folder", Type: "tree", Size: 0, Sha256: "" };
    const size = Number(url.searchParams.get("PageSize") ?? Infinity);
    const first = size * (Number(url.searchParams.get("PageNumber") ?? 1) - 1) || 0;
    return { body: { Code: 200, Success: true, Data: { Files: [folder, ...all].slice(first, first + size) } } };
  },
};

async function serveFile(hub: HubServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { faults } = hub;
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://hub").pathname.slice(1));
  hub.fileRequests.push({ path, headers: request.headers });
  const failure = faults.failures?.shift();
  if (failure !== undefined) return void response.writeHead(failure.status, failure.headers).end();
  const listed = hub.files[path];
  if (listed === undefined) return void response.writeHead(404).end();
  const bytes = faults.extraBytes === undefined ? listed : Buffer.concat([listed, new Uint8Array(faults.extraBytes)]);

  const etag = faults.etag === undefined ? `"${sha256(bytes).slice(0, 16)}"` : faults.etag(path);
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  const condition = request.headers["if-range"];
  const isSame = condition === undefined || condition === etag;
  const from = asked !== undefined && isSame && faults.ignoreRange !== true ? Number(asked) : 0;
  if (from >= bytes.length) return void response.writeHead(416).end();
  const body = bytes.subarray(from);
  const partsBefore = await growingParts();
  response.writeHead(from > 0 ? (faults.partStatus ?? 206) : 200, {
    ...(etag === undefined ? {} : { etag }),
    // A server that sends more than it lists does not announce it.
    ...(faults.extraBytes === undefined ? { "content-length": body.length } : {}),
    ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  const step = 4096;
  for (let sent = 0; sent < body.length; sent += step) {
    const cut = faults.cut;
    if (cut !== undefined && cut.times > 0 && sent >= cut.afterBytes) {
      cut.times--;
      await hasArrived(response, from + sent, partsBefore);
      response.destroy();
      return;
    }
    const chunk = body.subarray(sent, sent + step);
    hub.sentBytes += chunk.length;
    await new Promise((resolve) => response.write(chunk, resolve));
    if (sent === 0) await faults.stall;
  }
  response.end();
}

/** Files that pulls grow in the last temporary folder: when each was written to, and how long it is. */
async function growingParts(): Promise<Map<string, { readonly writtenMs: number; readonly size: number }>> {
  const folder = folders.at(-1);
  const names = folder === undefined ? [] : await readdir(folder, { recursive: true });
  const parts = names.filter((name) => name.endsWith(".part")).map((name) => join(folder!, name));
  const found = await Promise.all(parts.map(async (path) => [path, await stat(path).catch(() => undefined)] as const));
  return new Map(
    found.flatMap(([path, now]) => (now === undefined ? [] : [[path, { writtenMs: now.mtimeMs, size: now.size }]])),
  );
}

/** Waits until a part was written up to `bytes`: a broken connection takes along what its reader has not read yet. */
async function hasArrived(
  response: ServerResponse,
  bytes: number,
  before: Awaited<ReturnType<typeof growingParts>>,
): Promise<void> {
  while (!response.destroyed) {
    for (const [path, { size, writtenMs }] of await growingParts()) {
      if (size === bytes && before.get(path)?.writtenMs !== writtenMs) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Bytes that look random and are the same each time. */
export function pseudoRandom(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
