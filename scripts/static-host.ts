// A static host as there are many: gives the files of a folder, by range where asked, and sends the headers that the
// folder's `_headers` names, or none.
import { once } from "node:events";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export interface StaticHost extends AsyncDisposable {
  readonly address: string;
}

export interface StaticHostOptions {
  /** Whether `_headers` is followed, as hosts that know this file do. */
  readonly headers: boolean;
  /** Default: any that is free. */
  readonly port?: number;
}

/** Serves `folder` to this machine alone. Rejects with the system's error where the port is taken. */
export async function startStaticHost(folder: string, { headers, port = 0 }: StaticHostOptions): Promise<StaticHost> {
  const root = resolve(folder);
  const sent = headers ? readHeaders(join(root, "_headers")) : {};
  const server = createServer((request, response) => {
    const found = fileAt(root, request.url ?? "/");
    if (found === undefined) return response.writeHead(404, sent).end();
    const { path, size } = found;
    const common = { ...sent, "content-type": TYPES[extname(path)] ?? "application/octet-stream" };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] || Infinity), size - 1);
    if (range !== null && start > end) {
      return response.writeHead(416, { ...sent, "content-range": `bytes */${size}` }).end();
    }
    const length = { "content-length": end - start + 1 };
    if (range === null) response.writeHead(200, { ...common, ...length });
    else response.writeHead(206, { ...common, ...length, "content-range": `bytes ${start}-${end}/${size}` });
    if (request.method === "HEAD" || size === 0) return response.end();
    return createReadStream(path, { start, end })
      .on("error", () => response.destroy())
      .pipe(response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The file that an address means; undefined where there is none inside `root`. */
function fileAt(root: string, url: string): { path: string; size: number } | undefined {
  try {
    const name = decodeURIComponent(new URL(url, "http://host").pathname);
    const path = join(root, name, name.endsWith("/") ? "index.html" : "");
    if (!path.startsWith(root + sep)) return undefined;
    const facts = statSync(path);
    return facts.isFile() ? { path, size: facts.size } : undefined;
  } catch {
    return undefined; // no address, no name, or not there
  }
}

/** The headers for all paths of the file that several static hosts read: "  Name: value" under "/*". */
function readHeaders(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").split("\n").slice(1);
  const pairs = lines.flatMap((line) => {
    const found = /^ {2}([\w-]+): (.*)$/.exec(line);
    return found === null ? [] : [[found[1], found[2]] as const];
  });
  return Object.fromEntries(pairs);
}
