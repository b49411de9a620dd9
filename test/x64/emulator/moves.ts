// Moves, broadcasts, permutations, packing and widening: where bytes go.
import type { Call, Operation } from "./vector.ts";

const QUARTER = 16;

/** The whole vector, or as much as the destination takes. */
const copy = (lane: Operation["lane"]): Operation => ({
  lane,
  run: ({ state, out, a, bytes }) => state.copy(out, a, bytes),
});

/** The lowest bytes only. */
const lowest = (bytes: number): Operation => ({
  lane: 4,
  run: ({ state, out, a }) => state.copy(out, a, bytes),
});

const broadcast = (lane: 1 | 2 | 4): Operation => ({
  lane,
  run: ({ state: { u8 }, out, a, bytes }) => {
    for (let at = 0; at < bytes; at++) u8[out + at] = u8[a + (at % lane)];
  },
});

/** Lane i of the result is the lane at byte from(call, i): any shuffle. */
const gather = (lane: Operation["lane"], from: (call: Call, i: number) => number): Operation => ({
  lane,
  shuffles: true,
  run: (call) => {
    const { u8 } = call.state;
    for (let i = 0; i * lane < call.bytes; i++) {
      const source = from(call, i);
      if (source < 0) continue;
      for (let byte = 0; byte < lane; byte++) u8[call.out + i * lane + byte] = u8[source + byte];
    }
  },
});

/** Four 32-bit lanes of each quarter by two bits of the immediate each. */
const byImmediate = gather(4, ({ a, immediate }, i) => a + (i & ~3) * 4 + ((immediate >> (2 * (i & 3))) & 3) * 4);

/** The first source's lanes where the quarter's first half is meant, the second's in the second. */
const shufflePairs = gather(
  4,
  ({ a, b, immediate }, i) => ((i & 3) < 2 ? a : b) + (i & ~3) * 4 + ((immediate >> (2 * (i & 3))) & 3) * 4,
);

/** Bytes of each quarter of `first` then `second`, moved down by `by`; zeros come in above. */
const shiftRight = (first: "a" | undefined, second: "a" | "b"): Operation =>
  gather(1, (call, i) => {
    const from = (i & 15) + call.immediate;
    const quarter = i & ~15;
    if (from < QUARTER) return call[second] + quarter + from;
    return first !== undefined && from < 2 * QUARTER ? call[first] + quarter + from - QUARTER : -1;
  });

const shuffleBytes = gather(1, ({ state: { u8 }, a, b }, i) => {
  const index = u8[b + i];
  return index >= 128 ? -1 : a + (i & ~15) + (index & 15);
});

/** Lanes of the second source by the first. */
const permute32 = gather(4, ({ state: { u32 }, a, b, bytes }, i) => b + (u32[(a >> 2) + i] & (bytes / 4 - 1)) * 4);
const permute16 = gather(2, ({ state: { u16 }, a, b, bytes }, i) => b + (u16[(a >> 1) + i] & (bytes / 2 - 1)) * 2);

/** Lanes of two tables, the destination and the second source, by the first. */
const fromTables = (lane: 2 | 4): Operation =>
  gather(lane, ({ state, a, b, dest, bytes }, i) => {
    const index = lane === 2 ? state.u16[(a >> 1) + i] : state.u32[(a >> 2) + i];
    const count = bytes / lane;
    return (index & count ? b : dest) + (index & (count - 1)) * lane;
  });

const permute64 = gather(8, ({ a, immediate }, i) => a + (i & ~3) * 8 + ((immediate >> (2 * (i & 3))) & 3) * 8);

/** Lanes of second and first source side by side, from the immediate's on. */
const align = gather(4, ({ a, b, bytes, immediate }, i) => {
  const count = bytes / 4;
  const from = i + (immediate & (count - 1));
  return from < count ? b + 4 * from : a + 4 * (from - count);
});

const extract = (part: number, lane: 4 | 8): Operation => ({
  lane,
  run: ({ state: { u8 }, out, a, bytes, immediate }) => {
    const from = a + (immediate & (bytes / part - 1)) * part;
    u8.copyWithin(out, from, from + part);
  },
});

const views = { 1: ["i8", "u8"], 2: ["i16", "u16"], 4: ["i32", "i32"] } as const;

/** Narrow lanes to wide ones. */
const widen = (from: 1 | 2, to: 2 | 4, signed: boolean): Operation => ({
  lane: to,
  run: ({ state, out, a, bytes }) => {
    const [source, target] = [state[views[from][signed ? 0 : 1]], state[views[to][0]]];
    for (let i = 0; i < bytes / to; i++) target[out / to + i] = source[a / from + i];
  },
});

/** The low bytes of 32-bit lanes. */
const narrow = (to: 1 | 2): Operation => ({
  lane: to,
  run: ({ state, out, a, bytes }) => {
    for (let i = 0; i < bytes / 4; i++) state[views[to][0]][out / to + i] = state.i32[a / 4 + i];
  },
});

/** Lanes of both sources, quarter by quarter, to half as wide ones, cut to what these hold. */
const pack = (to: 1 | 2, least: number, most: number): Operation => ({
  lane: to,
  shuffles: true,
  run: ({ state, out, a, b, bytes }) => {
    const wide = (2 * to) as 2 | 4;
    const [source, target] = [state[views[wide][0]], state[views[to][0]]];
    const half = QUARTER / wide;
    for (let i = 0; i < bytes / to; i++) {
      const [quarter, lane] = [Math.floor(i / (2 * half)), i % (2 * half)];
      const from = (lane < half ? a : b) / wide + quarter * half + (lane % half);
      target[out / to + i] = Math.max(least, Math.min(most, source[from]));
    }
  },
});

export const moves: Readonly<Record<string, Operation>> = {
  vmovups: copy(4),
  vmovntps: copy(4),
  vmovdqu: copy(4),
  vmovdqu8: copy(1),
  vmovdqu16: copy(2),
  vmovdqu32: copy(4),
  vmovdqu64: copy(8),
  vmovd: lowest(4),
  vmovq: lowest(8),
  vmovss: {
    lane: 4,
    scalar: true,
    run: ({ state: { u8 }, out, a, b, sources }) => {
      // With two sources the lowest lane of the second over the first.
      if (sources === 2) u8.copyWithin(out, a, a + QUARTER);
      const from = sources === 2 ? b : a;
      u8.copyWithin(out, from, from + 4);
    },
  },
  vmovshdup: gather(4, ({ a }, i) => a + 4 * (i | 1)),
  vmovhlps: gather(8, ({ a, b }, i) => (i === 0 ? b : a) + 8),
  vbroadcastss: broadcast(4),
  vpbroadcastd: broadcast(4),
  vpermilps: byImmediate,
  vpshufd: byImmediate,
  vshufps: shufflePairs,
  vpshufb: shuffleBytes,
  vpsrldq: shiftRight(undefined, "a"),
  vpalignr: shiftRight("a", "b"),
  valignd: align,
  vpermq: permute64,
  vpermd: permute32,
  vpermw: permute16,
  vpermt2w: fromTables(2),
  vextracti128: extract(16, 4),
  vextractf32x4: extract(16, 4),
  vextracti32x4: extract(16, 4),
  vextracti64x4: extract(32, 8),
  vpextrd: extract(4, 4),
  vpmovsxbd: widen(1, 4, true),
  vpmovzxbd: widen(1, 4, false),
  vpmovsxwd: widen(2, 4, true),
  vpmovzxwd: widen(2, 4, false),
  vpmovdb: narrow(1),
  vpmovdw: narrow(2),
  vpackuswb: pack(1, 0, 255),
  vpackusdw: pack(2, 0, 0xffff),
};
