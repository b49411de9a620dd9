// What the measurements of kernels have in common: how a speed and its ceiling are told, numbers to compute with, and the
// best of many short runs, for other work shares the cores. Not here: any kernel (decode-speed.ts, prompt-speed.ts, ...).
import { now } from "#platform";

/** Which of the machine's limits a kernel is held to: bytes read from memory or a near cache, or operations. */
export type Bound = "memory" | "cache" | "f32" | "int8" | "bf16";

/** How fast one kernel is, and how much of what the machine can do at most that is. */
export interface KernelSpeed {
  readonly class: "decode" | "prompt" | "attention" | "rows";
  /** A weight format, or what is computed. */
  readonly kernel: string;
  /** Of activations. */
  readonly rows: number;
  readonly bound: Bound;
  /** 10^9 bytes, or operations, a second. */
  readonly unit: "GB/s" | "GOP/s";
  readonly measured: number;
  /** What the machine did at most in the same minute. */
  readonly ceiling: number;
  /** measured / ceiling. */
  readonly share: number;
}

/** A speed beside its ceiling, in three digits. */
export function kernelSpeed(
  what: Pick<KernelSpeed, "class" | "kernel" | "rows" | "bound">,
  measured: number,
  ceiling: number,
): KernelSpeed {
  const unit = what.bound === "memory" || what.bound === "cache" ? "GB/s" : "GOP/s";
  const round = (value: number): number => Number(value.toPrecision(3));
  return { ...what, unit, measured: round(measured), ceiling: round(ceiling), share: round(measured / ceiling) };
}

/** 2^20 halves are made, the rest repeats them: making all takes longer than measuring. */
const PATTERN_BYTES = 2 << 20;

/** Bits that give modest numbers as f16, f32, scales and exponents in a byte: subnormal ones are slow. */
export function fillWithWeights(bytes: Uint8Array): void {
  const pattern = bytes.subarray(0, PATTERN_BYTES);
  const halves = new Uint16Array(pattern.buffer, pattern.byteOffset, pattern.byteLength >> 1);
  let state = 1;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    halves[i] = ((state >>> 16) & 0x0b3f) | 0x3040;
  }
  for (let at = PATTERN_BYTES; at < bytes.length; at += PATTERN_BYTES) {
    bytes.copyWithin(at, 0, Math.min(PATTERN_BYTES, bytes.length - at));
  }
}

/** Calls `round` until `ms` milliseconds are over, three times at least: the first ones start threads and fill caches. */
export async function roundsFor(ms: number, round: () => Promise<void> | void): Promise<void> {
  const until = now() + ms;
  for (let rounds = 0; rounds < 3 || now() < until; rounds++) await round();
}

/** Milliseconds that `run` takes. */
export async function timeOf(run: () => Promise<void> | void): Promise<number> {
  const start = now();
  await run();
  return now() - start;
}

/** Milliseconds of the fastest of the runs that fit `ms`. */
export async function bestMs(ms: number, run: () => Promise<void> | void): Promise<number> {
  let best = Infinity;
  await roundsFor(ms, async () => {
    best = Math.min(best, await timeOf(run));
  });
  return best;
}
