// Orders that are pure functions of (seed, stream): the same for ever, whatever ran before.
import { uniform } from "../../base/random.ts";

/** Random numbers of the data's order; other uses have other streams. An epoch is added to each. */
export const streams = { shape: 0x1_0000_0000, pieces: 0x2_0000_0000, batches: 0x3_0000_0000 } as const;

/** Shuffles values[start, end) in place (Fisher and Yates; Durstenfeld 1964). */
export function shuffle(values: Uint32Array, start: number, end: number, seed: number, stream: number): void {
  for (let last = end - 1; last > start; last--) {
    const chosen = start + Math.floor(uniform(seed, stream, last) * (last - start + 1));
    const value = values[last];
    values[last] = values[chosen];
    values[chosen] = value;
  }
}

/** 0 … count - 1 in the order of (seed, stream). */
export function shuffled(count: number, seed: number, stream: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  shuffle(order, 0, count, seed, stream);
  return order;
}
