// The checking mode, LIANG_CHECK=1: every tensor, weight and scratch lies between pages that nobody may touch, so that a
// kernel that leaves its bounds faults there and then; values of the arena share no places; and what a kernel must not
// rely on (the arena, scratch) begins as NaN. Slower to load and larger, equal results. Not here: where things lie
// (layout.ts, place-model.ts).
import { UnsupportedError, UsageError, show } from "../../base/errors.ts";
import { type Native, environment, native } from "#platform";

/** Whether LIANG_CHECK is 1; 0, empty and unset mean no. Throws UsageError for anything else. */
export function isChecking(): boolean {
  const value = environment("LIANG_CHECK") ?? "0";
  if (value === "0" || value === "1") return value === "1";
  throw new UsageError(`LIANG_CHECK is ${show(value)}, expected 1, 0 or nothing.`);
}

/** Bytes of the guard between regions: a page while checking, else none. Throws where pages cannot be protected. */
export function guardBytes(): number {
  if (!isChecking()) return 0;
  const host = native();
  if (!("reason" in host)) return host.pageBytes;
  throw new UnsupportedError("LIANG_CHECK=1 needs a host that protects memory.", { hint: host.reason });
}

export interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** What the mode needs to know of a placed model. */
export interface Check {
  /** Where nobody may read or write. */
  readonly guards: readonly Range[];
  /** What begins as NaN. */
  readonly poisoned: readonly Range[];
}

/** Takes all access from guards, whose offsets count from the process's address `base`. */
export function protectGuards(host: Native, base: number, guards: readonly Range[]): void {
  for (const { offset, bytes } of guards) host.protect(base + offset, bytes, "none");
}

/** f32 and f16 alike: not a number. */
const POISON = 0xff;

export function poison(memory: SharedArrayBuffer, ranges: readonly Range[]): void {
  for (const { offset, bytes } of ranges) new Uint8Array(memory, offset, bytes).fill(POISON);
}
