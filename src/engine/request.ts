// Checks of what callers hand the engine, at the door: ids, counts, windows.
import { ContextLengthError, UsageError, show } from "../base/errors.ts";
import { isId } from "./sampling/settings.ts";

/** The ids as an array of our own. Throws UsageError unless there is one at least and all are in the vocabulary. */
export function checkedIds(ids: readonly number[] | Int32Array, vocabularySize: number): Int32Array {
  if (ids.length === 0) throw new UsageError("ids is empty, expected one id at least.", { field: "ids" });
  for (let i = 0; i < ids.length; i++) {
    if (isId(ids[i], vocabularySize)) continue;
    const message = `ids[${i}] is ${show(ids[i])}, expected a whole number from 0 to ${vocabularySize - 1}.`;
    throw new UsageError(message, { field: "ids" });
  }
  return Int32Array.from(ids);
}

/** Throws UsageError unless `value` is a whole number from `least` to `most`. */
export function checkWhole(field: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`${field} is ${show(value)}, expected a whole number ${range}.`, { field });
}

/**
 * The source as an array of our own; empty for a model that reads none. `longest`: of the model's sources, undefined where it
 * reads none. Throws UsageError where there is one and should be none, or the other way round, and as `checkedIds`;
 * ContextLengthError for one that is too long.
 */
export function checkedSource(
  source: readonly number[] | Int32Array | undefined,
  longest: number | undefined,
  vocabularySize: number,
): Int32Array {
  if ((source === undefined) !== (longest === undefined)) {
    const message =
      source === undefined ? "The model reads a source first, and there is none." : "The model reads no source.";
    throw new UsageError(message, { field: "source" });
  }
  if (source === undefined || longest === undefined) return new Int32Array(0);
  const ids = checkedIds(source, vocabularySize);
  checkFits(ids, longest, longest);
  return ids;
}

/** Throws ContextLengthError when a prompt has more than `most` tokens. */
export function checkFits(ids: Int32Array, most: number, window: number): void {
  if (ids.length > most) throw new ContextLengthError(ids.length, window);
}
