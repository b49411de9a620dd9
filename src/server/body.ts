// Request bodies: read with a cap, parsed as JSON, checked by a schema. Everything a client sends passes here.
import type * as z from "zod";
import { UsageError } from "../base/errors.ts";
import { HttpError, schemaError } from "./errors.ts";

/** Larger than any prompt that fits a window, with its JSON around it. */
const BODY_BYTES_MAX = 16 * 2 ** 20;

/**
 * The body as `schema` gives it. Throws HttpError 413 past `bytesMax` (no more is read), UsageError for what is no JSON
 * or does not fit, naming the field.
 */
export async function readJson<T extends z.ZodType>(
  request: Request,
  schema: T,
  bytesMax: number = BODY_BYTES_MAX,
): Promise<z.output<T>> {
  const text = await readText(request, bytesMax).catch((cause: unknown) => {
    if (!(cause instanceof TypeError)) throw cause; // the decoder's
    throw new UsageError("The body is no UTF-8.", { cause });
  });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    const found = text === "" ? "empty" : "no JSON";
    throw new UsageError(`The body is ${found}: ${(cause as Error).message}.`, { cause });
  }
  return check(schema, body);
}

/** `value` as the schema gives it. Throws UsageError that names the field. */
export function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw schemaError(parsed.error, value);
  return parsed.data;
}

async function readText(request: Request, bytesMax: number): Promise<string> {
  const tooLarge = () => new HttpError(413, "body_too_large", `The body is larger than ${bytesMax} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
