// HTTP as the hub client needs it: redirects followed by hand (never from https down to http, the token only to the hub's
// own host), failures told apart (no network, refused, not there, try again), waits that a signal can end.
import { setTimeout as sleep } from "node:timers/promises";
import { LiangError, NotFoundError, isAbort } from "../../base/errors.ts";

const REDIRECTS_MAX = 10;
const RETRY_WAIT_MS_MAX = 30_000;
/** A connection that gives nothing for so long is dead. */
const IDLE_MS = 60_000;

export interface HubAccess {
  /** "https://huggingface.co", without a slash at its end. */
  readonly endpoint: string;
  readonly token?: string;
  /** Tries without progress before giving up. Default 5. */
  readonly attempts?: number;
  /** Wait before the second try, doubled each time. Default 1000. */
  readonly retryDelayMs?: number;
  readonly signal?: AbortSignal;
}

/** A failure that may pass: the network, an overloaded server. */
export class PassingError extends LiangError {
  /** What the server asked to wait; undefined when it said nothing. */
  readonly waitMs: number | undefined;

  constructor(message: string, facts: { hint?: string; cause?: unknown; waitMs?: number } = {}) {
    super("no_network", message, facts, 7);
    this.waitMs = facts.waitMs;
  }
}

/**
 * GETs `url`, following redirects; the answer has status 200 or 206, or one of `also`. `what` is said in errors ("org/name").
 * Throws PassingError, NotFoundError (404), LiangError "gated" (401, 403), "bad_redirect", AbortError. Makes one try.
 */
export async function get(
  url: string,
  access: HubAccess,
  what: string,
  { headers = {}, also = [] }: { headers?: Record<string, string>; also?: readonly number[] } = {},
): Promise<Response> {
  const home = new URL(access.endpoint);
  let at = new URL(url);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const isHome = at.host === home.host && at.protocol === home.protocol;
    const response = await send(at, access.signal, {
      // The bytes as they are, or sizes, ranges and hashes would not be those of the file.
      "accept-encoding": "identity",
      ...headers,
      ...(isHome && access.token !== undefined ? { authorization: `Bearer ${access.token}` } : {}),
    });
    if (response.status === 200 || response.status === 206 || also.includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) throw failure(response, access, what);
    const next = URL.canParse(location, at) ? new URL(location, at) : undefined;
    if (
      next === undefined ||
      !/^https?:$/.test(next.protocol) ||
      (at.protocol === "https:" && next.protocol === "http:")
    ) {
      throw new LiangError("bad_redirect", `${at.host} redirects to ${location}, which is not followed.`, {
        hint: "Only https is, and http from an endpoint given as http.",
      });
    }
    at = next;
  }
  throw new LiangError("bad_redirect", `${new URL(url).host} redirects more than ${REDIRECTS_MAX} times.`);
}

/**
 * Runs `attempt` until it succeeds; after a PassingError it waits and tries again, up to the tries allowed since
 * `progress()` last gave a new value.
 */
export async function withRetries<T>(
  access: HubAccess,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  const { attempts = 5, retryDelayMs = 1000, signal } = access;
  let failures = 0;
  let reached = progress();
  for (;;) {
    if (signal?.aborted) throw new DOMException("Aborted.", "AbortError");
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      if (progress() !== reached) failures = 0;
      reached = progress();
      failures++;
      if (failures >= attempts) throw error;
      const waitMs = error.waitMs ?? retryDelayMs * 2 ** (failures - 1);
      // An aborted wait ends here; the signal is looked at above.
      await sleep(Math.min(waitMs, RETRY_WAIT_MS_MAX), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function send(url: URL, signal: AbortSignal | undefined, headers: Record<string, string>): Promise<Response> {
  // For the headers only: the body, which may take hours, has a limit of its own (download.ts).
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new Error("it does not answer")), IDLE_MS);
  const either = signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]);
  try {
    return await fetch(url, { headers, redirect: "manual", signal: either });
  } catch (error) {
    if (signal?.aborted) throw new DOMException("Aborted.", "AbortError");
    throw networkError(url.host, error);
  } finally {
    clearTimeout(timer);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name is not known (is there a network?)",
  EAI_AGAIN: "its name cannot be looked up (is there a network?)",
  ECONNREFUSED: "nothing answers there",
  ECONNRESET: "the connection broke",
  ETIMEDOUT: "it does not answer",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer",
  UND_ERR_SOCKET: "the connection broke",
};

/** The failure of a connection to `host` as an error that may pass. */
function networkError(host: string, error: unknown): LiangError | DOMException {
  if (error instanceof LiangError) return error;
  if (isAbort(error)) return error as DOMException;
  const cause = (error as { cause?: unknown }).cause ?? error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = (typeof code === "string" ? REASONS[code] : undefined) ?? message;
  return new PassingError(`Cannot reach ${host}: ${reason}.`, {
    cause: error,
    hint: "Check the network, or give another hub with --endpoint (or HF_ENDPOINT).",
  });
}

/** The body's chunks; throws PassingError when the connection breaks or gives nothing for a minute. */
export async function* chunksOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const { host } = new URL(response.url);
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const idle = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("it sends nothing more")), IDLE_MS);
      });
      try {
        const { done, value } = await Promise.race([reader.read(), idle]);
        if (done) return;
        yield value;
      } catch (error) {
        if (signal?.aborted) throw new DOMException("Aborted.", "AbortError");
        throw networkError(host, error);
      } finally {
        clearTimeout(timer);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function failure(response: Response, access: HubAccess, what: string): LiangError {
  const { status } = response;
  const { host } = new URL(access.endpoint);
  if (status === 404) {
    return new NotFoundError(`${host} has no ${what}.`, { hint: "Check the spelling, or look on another hub." });
  }
  if (status === 401 || status === 403) {
    const hint =
      access.token === undefined
        ? "Check the spelling; if its terms must be accepted, do so on the hub's page and set HF_TOKEN."
        : "Accept its terms on the hub's page with the account that HF_TOKEN belongs to.";
    const message = `${host} refuses ${what} (HTTP ${status}): it is gated, private, or not there.`;
    return new LiangError("gated", message, { hint }, 8);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    return new PassingError(`${host} cannot serve ${what} now (HTTP ${status}).`, {
      hint: "Try again later, or give another hub with --endpoint (or HF_ENDPOINT).",
      waitMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    });
  }
  return new LiangError("hub_failed", `${host} answers HTTP ${status} for ${what}.`);
}
