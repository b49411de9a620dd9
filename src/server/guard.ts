// Who may talk to the server. Loopback is no trust boundary: any web page can make a browser send requests to it, so every
// request is checked for Host (against names rebound by DNS) and Origin. Listening elsewhere needs a key. Rules:
// - on loopback only loopback names are a Host; elsewhere any is, and the key protects;
// - an Origin must be the server's own, or on the list that the owner gave (which also gets CORS headers); "null" never is;
// - a browser that says (Sec-Fetch-Site) that another site asks gets nothing but the page itself, by navigation.
import type { Context, MiddlewareHandler } from "hono";
import { UsageError, show } from "../base/errors.ts";
import { HttpError } from "./errors.ts";

export interface Access {
  /** Only loopback names are accepted as Host. */
  readonly loopback: boolean;
  /** When set, every route but the page's files and /health needs it; /health tells less without it. */
  readonly key?: string;
  /** Other origins whose pages may call the API: "http://localhost:5173". */
  readonly origins: readonly string[];
}

/** Paths under which the API lies: what needs the key. The rest is the page's files. */
export const API_PATHS = [
  "/v1/*",
  "/api/*",
  "/v2/rerank",
  "/rerank",
  "/tokenize",
  "/detokenize",
  "/apply-template",
] as const;

/** The access rules for listening on `host`: a key is made up where one is needed and none was given. */
export function accessFor(host: string, options: { key?: string; origins?: readonly string[] } = {}): Access {
  const loopback = isLoopback(host);
  const key = options.key ?? (loopback ? undefined : makeKey());
  if (key !== undefined && !/^[\x21-\x7e]{8,}$/.test(key)) {
    throw new UsageError("The API key is too short or has blanks, expected at least 8 visible ASCII characters.");
  }
  const origins = (options.origins ?? []).map((text) => {
    const origin = URL.canParse(text) ? new URL(text).origin : "null";
    if (origin === "null") throw new UsageError(`${show(text)} is no origin, expected the form http://localhost:5173.`);
    return origin;
  });
  return { loopback, origins, key };
}

/** Whether a host name or address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** Refuses a foreign Host or Origin on every route and method; answers preflights of listed origins. */
export function guardOrigin(access: Access): MiddlewareHandler {
  return async (c, next) => {
    const host = parseHost(c);
    // The address itself differs from the Host header when a request line names a whole address.
    const foreign = [host, new URL(c.req.url)].find((url) => !isLoopback(url.hostname));
    if (access.loopback && foreign !== undefined) {
      throw new HttpError(403, "host_refused", `The Host ${show(foreign.host)} is not a name of this machine.`, {
        hint: "Use 127.0.0.1 or localhost.",
      });
    }
    const origin = c.req.header("origin");
    const listed = origin !== undefined && access.origins.includes(origin);
    if (origin !== undefined && !listed && !isOwnOrigin(origin, host, access.loopback)) {
      throw new HttpError(403, "origin_refused", `The Origin ${show(origin)} may not use this server.`);
    }
    if (origin === undefined && isForeignFetch(c)) {
      throw new HttpError(403, "origin_refused", "Another site's page may not use this server.");
    }
    if (listed && c.req.method === "OPTIONS") c.res = preflight(c, origin);
    else await next();
    if (listed) {
      c.res.headers.set("access-control-allow-origin", origin);
      c.res.headers.append("vary", "origin");
    }
  };
}

/** Asks for the key, as a bearer token or x-api-key alike. */
export function guardKey(key: string): MiddlewareHandler {
  return async (c, next) => {
    const given = givenKey(c);
    if (given === undefined || !sameText(given, key)) {
      throw new HttpError(401, "invalid_api_key", `The API key is ${given === undefined ? "missing" : "wrong"}.`, {
        hint: "Send it as Authorization: Bearer KEY or as x-api-key.",
      });
    }
    await next();
  };
}

/** Whether the request has the key, or none is needed. */
export function hasKey(c: Context, { key }: Access): boolean {
  const given = givenKey(c);
  return key === undefined || (given !== undefined && sameText(given, key));
}

function givenKey(c: Context): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  return bearer ?? c.req.header("x-api-key");
}

function parseHost(c: Context): URL {
  const given = c.req.header("host") ?? new URL(c.req.url).host;
  const address = `http://${given}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // "user@host" or "host/path" would parse too, as something else than what it looks like.
  if (url === undefined || url.username !== "" || url.password !== "" || url.pathname !== "/" || url.search !== "") {
    throw new HttpError(403, "host_refused", `The Host ${show(given)} is not a host name.`);
  }
  return url;
}

function isOwnOrigin(origin: string, host: URL, loopback: boolean): boolean {
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin);
  if (own.protocol !== "http:" && own.protocol !== "https:") return false;
  // https: behind a proxy that ends TLS the Host stays the same.
  if (own.host === host.host) return true;
  return loopback && own.protocol === "http:" && own.port === host.port && isLoopback(own.hostname);
}

function isForeignFetch(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return false;
  const isNavigation = c.req.header("sec-fetch-mode") === "navigate" && c.req.header("sec-fetch-dest") === "document";
  return !(isNavigation && c.req.method === "GET" && !isApiPath(c.req.path));
}

function isApiPath(path: string): boolean {
  return API_PATHS.some((pattern) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  );
}

function preflight(c: Context, origin: string): Response {
  return c.body(null, 204, {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": c.req.header("access-control-request-headers") ?? "",
    "access-control-max-age": "600",
    vary: "origin, access-control-request-headers",
  });
}

function makeKey(): string {
  return `liang-${Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Equality whose time does not tell how many characters agree. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < b.length; index++)
    difference |= a.charCodeAt(index % (a.length || 1)) ^ b.charCodeAt(index);
  return difference === 0;
}
