// JSON of untrusted files: errors name the file and the field, nesting is capped.
import { FormatError } from "../base/errors.ts";

const DEPTH_MAX = 200; // deep enough for any config; shallow enough for the recursions of whoever walks it

/** Parses bytes that must be a JSON object in UTF-8; throws FormatError. */
export function parseJson(file: string, field: string, bytes: Uint8Array): Record<string, unknown> {
  const value = parseJsonValue(file, field, bytes);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(file, field, Array.isArray(value) ? "a list" : value, "a JSON object");
  }
  return value as Record<string, unknown>;
}

/** The same of any JSON value. */
export function parseJsonValue(file: string, field: string, bytes: Uint8Array): unknown {
  checkDepth(file, field, bytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message.slice(0, 120) : "not UTF-8";
    throw new FormatError(file, field, reason, "JSON in UTF-8", { cause });
  }
  return value;
}

/** Counts brackets outside of strings. Bytes above 127 are never brackets or quotes in UTF-8. */
function checkDepth(file: string, field: string, bytes: Uint8Array): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEPTH_MAX) throw new FormatError(file, field, `nested ${depth} deep`, `at most ${DEPTH_MAX} deep`);
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
}
