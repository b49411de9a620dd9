// Errors as HTTP answers: every failure of every route is `{error: {message, type, code, param}}` with a fitting status,
// in the shape OpenAI's clients read. Which error has which status is one table. Not here: who throws them.
import * as z from "zod";
import { ContextLengthError, LiangError, UsageError, isAbort, show } from "../base/errors.ts";
import type { ApiError } from "./api-types.ts";

/** An error that exists only in HTTP: it names its own status. */
export class HttpError extends LiangError {
  readonly status: number;
  readonly param: string | null;

  constructor(status: number, code: string, message: string, facts: { hint?: string; param?: string } = {}) {
    super(code, message, facts);
    this.status = status;
    this.param = facts.param ?? null;
  }
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  bad_request: 400,
  unsupported: 400,
  context_length_exceeded: 400,
  not_found: 404,
  locked: 409,
  out_of_memory: 507,
};

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  409: "conflict_error",
  413: "invalid_request_error",
};

/** What a route answers for an error; what Liang did not throw on purpose tells a client nothing of its inside. */
function describeError(error: unknown): { status: number; error: ApiError } {
  if (isAbort(error)) {
    // Nobody reads it, as a rule: the client has left.
    return {
      status: 499,
      error: { message: "The request was given up.", type: "server_error", code: "aborted", param: null },
    };
  }
  if (!(error instanceof LiangError)) {
    const message = "The server failed inside; its terminal shows how.";
    return { status: 500, error: { message, type: "server_error", code: "internal_error", param: null } };
  }
  const status = error instanceof HttpError ? error.status : (STATUS_BY_CODE[error.code] ?? 500);
  return {
    status,
    error: {
      message: error.message,
      type: TYPE_BY_STATUS[status] ?? "server_error",
      code: error.code,
      param: error instanceof UsageError ? (error.field ?? null) : error instanceof HttpError ? error.param : null,
      ...(error instanceof ContextLengthError ? { promptTokens: error.promptTokens, window: error.window } : {}),
    },
  };
}

/** The same, and `log` hears of what failed inside. */
export function reportError(error: unknown, log: (error: unknown) => void): ApiError {
  const { status, error: described } = describeError(error);
  if (status >= 500) log(error);
  return described;
}

/** The status that a route answers it with. */
export const statusOf = (failure: unknown): number => describeError(failure).status;

/** The error as a whole response. */
export function errorResponse(failure: unknown): Response {
  const { status, error } = describeError(failure);
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  // OpenAI's clients try again by themselves after 409 and 5xx; what failed here would fail again.
  headers["x-should-retry"] = "false";
  if (status === 401) headers["www-authenticate"] = "Bearer";
  return new Response(JSON.stringify({ error }), { status, headers });
}

/** The first fault that a schema found, as a UsageError that names the field as a client writes it: messages[0].role. */
export function schemaError(error: z.ZodError, body: unknown): UsageError {
  const issue = deepest(error.issues[0]);
  const field = fieldName(issue.path);
  const found = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], body);
  const subject = field === "" ? "The body" : field;
  const state = found === undefined ? "is missing" : `is ${shorten(found)}`;
  return new UsageError(`${subject} ${state}: ${issue.message}.`, field === "" ? {} : { field });
}

type Issue = z.core.$ZodIssue;

/** Of a union's failures, the branch that came furthest: the one the client most likely meant. */
function deepest(issue: Issue): Issue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors.flat().toSorted((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined || inner.path.length === 0) return issue;
  return deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}

function shorten(value: unknown): string {
  if (typeof value !== "object" || value === null) return show(value);
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
