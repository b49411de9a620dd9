// Checks of what callers hand the engine, at the door: ids, counts, windows.
import { ContextLengthError, UsageError, show } from "../base/errors.ts";
import type { AttachedAdapter } from "./adapters.ts";
import { checkedSettings, isId } from "./sampling/settings.ts";
import type { GenerateRequest, SamplingSettings } from "./types.ts";

/** A request for a reply, checked: the ids are arrays of our own. */
export interface CheckedRequest {
  readonly prompt: Int32Array;
  /** Empty for a model that reads none. */
  readonly source: Int32Array;
  readonly adapter: AttachedAdapter | undefined;
  /** Whether it may begin with rows that are there already. */
  readonly reuse: boolean;
  readonly settings: SamplingSettings;
  readonly tokensMax: number;
  readonly endIds: ReadonlySet<number>;
}

/** Bounds of a request. */
export interface RequestBounds {
  readonly vocabularySize: number;
  readonly window: number;
  /** The longest source; undefined: the model reads none. */
  readonly sourceRows: number | undefined;
}

/** Throws UsageError and ContextLengthError. */
export function checkedRequest(request: GenerateRequest, bounds: RequestBounds): CheckedRequest {
  const { vocabularySize, window, sourceRows } = bounds;
  const prompt = checkedIds(request.ids, vocabularySize);
  checkFits(prompt, window - 1, window);
  const source = checkedSource(request.source, sourceRows, vocabularySize);
  const settings = checkedSettings(request.sampling ?? {}, vocabularySize);
  if (request.maxTokens !== undefined) checkWhole("maxTokens", request.maxTokens, 1);
  return {
    prompt,
    source,
    adapter: request.adapter,
    reuse: request.reproducible !== true,
    settings,
    tokensMax: Math.min(request.maxTokens ?? Infinity, window - prompt.length),
    endIds: new Set(request.endIds),
  };
}

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
