// A static host as there are many: gives the files of a folder, by range where asked, and sends the headers that the
// folder's `_headers` names, or none.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

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

/** `headers`: whether `_headers` is followed, as hosts that know this file do. */
export async function startStaticHost(folder: string, { headers }: { readonly headers: boolean }): Promise<StaticHost> {
  const sent = headers ? readHeaders(join(folder, "_headers")) : {};
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const path = join(folder, decodeURIComponent(pathname), pathname.endsWith("/") ? "index.html" : "");
    if (!path.startsWith(folder) || !existsSync(path)) return response.writeHead(404, sent).end();
    const { size } = statSync(path);
    const common = { ...sent, "content-type": TYPES[extname(path)] ?? "application/octet-stream" };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] || Infinity), size - 1);
    const length = { "content-length": end - start + 1 };
    if (range === null) response.writeHead(200, { ...common, ...length });
    else response.writeHead(206, { ...common, ...length, "content-range": `bytes ${start}-${end}/${size}` });
    if (request.method === "HEAD") return response.end();
    return createReadStream(path, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
