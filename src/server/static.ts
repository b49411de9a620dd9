// The page's files, with right types and the headers that fence the page in: it may load only what this server gives,
// runs no inline script, and shares its process with no other site. Not here: reading the folder (store).
import type { MiddlewareHandler } from "hono";
import type { StaticFolder } from "../store/index.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  webmanifest: "application/manifest+json",
  map: "application/json; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
  ico: "image/x-icon",
  woff2: "font/woff2",
  woff: "font/woff",
  ttf: "font/ttf",
  wasm: "application/wasm",
};

// Of everything only what this server gives as a file: the page has no inline script, style, font or picture, and what a
// model writes gets none of these past the policy.
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const NOT_BUILT = "The page is not built: run `npm run build:web`, then start the server again.";

/** Sets the fencing headers on every response. */
export function securityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    headers.set("content-security-policy", CONTENT_SECURITY_POLICY);
    headers.set("cross-origin-opener-policy", "same-origin");
    headers.set("cross-origin-embedder-policy", "require-corp");
    headers.set("cross-origin-resource-policy", "same-origin");
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "no-referrer");
  };
}

/** Answers GET of the page's files; "/" and the page's own addresses (no dot in the last part) give index.html. */
export function servePage(folder: StaticFolder): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") return next();
    const path = decodePath(c.req.path);
    if (path === undefined) return next();
    const isAddress = !path.slice(path.lastIndexOf("/") + 1).includes(".");
    const bytes = await folder.read(isAddress ? "index.html" : path);
    if (bytes === undefined) return path === "" ? c.text(NOT_BUILT, 503) : next();
    const extension = isAddress ? "html" : path.slice(path.lastIndexOf(".") + 1).toLowerCase();
    const headers = {
      "content-type": TYPES[extension] ?? "application/octet-stream",
      // What the bundler puts under assets/ has a hash of its content in its name.
      "cache-control": path.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    };
    return c.body(bytes, 200, headers);
  };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
}
