// Talks to what answers this page (transport.ts): JSON requests and event streams. Every failure, also that of the network, is an
// ApiFailure with the server's own words. Not here: what is done with the answers (state/).
import type { ApiError, ApiErrorBody } from "../../server/api-types.ts";
import { apiKey } from "./key.ts";
import { readEvents } from "./events.ts";
import { send } from "./transport.ts";

export class ApiFailure extends Error {
  readonly error: ApiError;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(error: ApiError, status: number) {
    super(error.message);
    this.name = "ApiFailure";
    this.error = error;
    this.status = status;
  }
}

const unreachable = (message: string): ApiFailure =>
  new ApiFailure({ message, type: "server_error", code: "unreachable", param: null }, 0);

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function ask(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = new Headers();
  const key = apiKey();
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await send(`/api/${path}`, { method, headers, body: JSON.stringify(body), signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted === true || error instanceof ApiFailure) throw error;
    throw unreachable(String(error));
  }
  if (!response.ok) throw new ApiFailure(await errorOf(response), response.status);
  return response;
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as ApiErrorBody;
    if (typeof error.message === "string") return error;
  } catch {
    // A proxy's page or nothing at all: the status is all there is.
  }
  const message = `${response.status} ${response.statusText}`;
  return { message, type: "server_error", code: response.status === 502 ? "unreachable" : "bad_answer", param: null };
}

/** One request, one JSON answer. Throws ApiFailure. */
export async function request<Answer>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await ask(method, path, body, signal);
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    throw unreachable(String(error));
  }
}

/** One request, an answer that is a text. Throws ApiFailure. */
export async function requestText(path: string): Promise<string> {
  const response = await ask("GET", path, undefined);
  return await response.text().catch((error: unknown) => Promise.reject(unreachable(String(error))));
}

/** One request, an answer of many events. Throws ApiFailure, also when the stream breaks off. */
export async function* stream<Event>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): AsyncGenerator<Event> {
  const response = await ask(method, path, body, signal);
  if (response.body === null) throw unreachable("an empty answer");
  try {
    yield* readEvents<Event>(response.body);
  } catch (error) {
    throw signal?.aborted === true ? error : unreachable(String(error));
  }
}

/** What went wrong, as the page keeps it. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiFailure) return error.error;
  console.error(error); // oxlint-disable-line no-console -- a fault of the page: the sentence sends people there
  return { message: String(error), type: "server_error", code: "page_failed", param: null };
}
