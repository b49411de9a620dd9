// Integer arithmetic, logic, shifts and comparisons of lanes.
import { compareLanes } from "./floats.ts";
import type { Call, Operation } from "./vector.ts";

type Lanes = Int32Array | Int16Array | Int8Array | Uint32Array;
const views = { 1: "i8", 2: "i16", 4: "i32" } as const;
type LaneBytes = keyof typeof views;

const log2 = (lane: LaneBytes): number => lane >> 1;

/** out[i] = f(a[i], b[i], dest[i]) of signed lanes; results wrap as they are stored. */
function lanes(lane: LaneBytes, f: (a: number, b: number, dest: number, immediate: number) => number): Operation {
  return {
    lane,
    run: ({ state, out, a, b, dest, bytes, immediate }) => {
      const view: Lanes = state[views[lane]];
      const shift = log2(lane);
      for (let i = 0; i < bytes >> shift; i++) {
        view[(out >> shift) + i] = f(
          view[(a >> shift) + i],
          view[(b >> shift) + i],
          view[(dest >> shift) + i],
          immediate,
        );
      }
    },
  };
}

/** Shifts by the immediate; what is shifted by all bits or more is gone, or all sign. */
const shifts = {
  vpslld: lanes(4, (a, _b, _dest, by) => (by > 31 ? 0 : a << by)),
  vpsrld: lanes(4, (a, _b, _dest, by) => (by > 31 ? 0 : a >>> by)),
  vpsrad: lanes(4, (a, _b, _dest, by) => a >> Math.min(by, 31)),
  vpsllw: lanes(2, (a, _b, _dest, by) => (by > 15 ? 0 : a << by)),
  vpsrlw: lanes(2, (a, _b, _dest, by) => (by > 15 ? 0 : (a & 0xffff) >>> by)),
  vpsraw: lanes(2, (a, _b, _dest, by) => a >> Math.min(by, 15)),
};

const low = (x: number): number => (x << 16) >> 16;
const high = (x: number): number => x >> 16;
const signedByte = (x: number, i: number): number => (x << (24 - 8 * i)) >> 24;
const byte = (x: number, i: number): number => (x >>> (8 * i)) & 255;
const clamp16 = (x: number): number => Math.max(-0x8000, Math.min(0x7fff, x));

/** Two products of halves, wrapping. */
const dotHalves = (a: number, b: number): number => (low(a) * low(b) + high(a) * high(b)) | 0;

/** Bytes of the first source unsigned, of the second signed. */
const dotBytes = (a: number, b: number): number => {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += byte(a, i) * signedByte(b, i);
  return sum;
};

/** Pairs of byte products in each half, cut to 16 bits. */
const multiplyAddBytes = (a: number, b: number): number => {
  const pair = (i: number): number => byte(a, i) * signedByte(b, i) + byte(a, i + 1) * signedByte(b, i + 1);
  return (clamp16(pair(0)) & 0xffff) | (clamp16(pair(2)) << 16);
};

/** Each bit of the result is the immediate's bit that the three sources' bits name. */
function ternary(a: number, b: number, dest: number, immediate: number): number {
  let result = 0;
  for (let i = 0; i < 8; i++) {
    if (((immediate >> i) & 1) === 0) continue;
    result |= (i & 4 ? dest : ~dest) & (i & 2 ? a : ~a) & (i & 1 ? b : ~b);
  }
  return result;
}

/** Comparisons to lanes, or to a mask where that is the destination. */
function compare(f: (a: number, b: number, immediate: number) => boolean): Operation {
  const holds = ({ state: { i32 }, a, b, immediate }: Call, i: number): boolean =>
    f(i32[(a >> 2) + i], i32[(b >> 2) + i], immediate);
  return { lane: 4, run: (call) => compareLanes(call, call.bytes / 4, holds, call.dest === call.out) };
}

/** By the sign of each lane of the third source. */
const select = (lane: 1 | 4): Operation => ({
  lane,
  run: ({ state: { u8 }, out, a, b, c, bytes }) => {
    for (let at = 0; at < bytes; at += lane) {
      const from = u8[c + at + lane - 1] >= 128 ? b : a;
      u8.copyWithin(out + at, from + at, from + at + lane);
    }
  },
});

const secondSource = lanes(4, (_, b) => b);
const and = lanes(4, (a, b) => a & b);
const andNot = lanes(4, (a, b) => ~a & b);
const or = lanes(4, (a, b) => a | b);
const xor = lanes(4, (a, b) => a ^ b);

export const ints: Readonly<Record<string, Operation>> = {
  ...shifts,
  vandps: and,
  vpand: and,
  vpandd: and,
  vpandn: andNot,
  vpandnd: andNot,
  vpor: or,
  vpord: or,
  vxorps: xor,
  vpxor: xor,
  vpxord: xor,
  vpternlogd: lanes(4, ternary),
  vblendvps: select(4),
  vpblendvb: select(1),
  vblendmps: { ...secondSource, mergesFirst: true },
  vpblendmd: { ...secondSource, mergesFirst: true },
  vpaddd: lanes(4, (a, b) => a + b),
  vpaddw: { lane: 2, run: lanes(4, (a, b) => ((a + b) & 0xffff) | ((high(a) + high(b)) << 16)).run },
  vpsubd: lanes(4, (a, b) => a - b),
  vpmulld: lanes(4, (a, b) => Math.imul(a, b)),
  vpmaddwd: lanes(4, dotHalves),
  vpmaddubsw: { lane: 2, run: lanes(4, multiplyAddBytes).run },
  vpdpbusd: lanes(4, (a, b, dest) => dest + dotBytes(a, b)),
  vpdpwssd: lanes(4, (a, b, dest) => dest + dotHalves(a, b)),
  vpcmpeqd: compare((a, b) => a === b),
  vpcmpgtd: compare((a, b) => a > b),
};
