// Conversions between f32, integers, f16 and bf16. What is not a number keeps the top of its fraction and becomes quiet.
import { f16Bits, f16Value } from "../../../src/numeric/f16.ts";
import { isNaNBits } from "./floats.ts";
import type { Call, Operation } from "./vector.ts";

/** What conversions to integers give for everything that does not fit. */
const INDEFINITE_32 = 1 << 31;
const INDEFINITE_64 = 1n << 63n;
const { fround } = Math;

const eachLane =
  (body: (call: Call, i: number) => void) =>
  (call: Call): void => {
    for (let i = 0; i < call.bytes / 4; i++) body(call, i);
  };

/** A bf16 to nearest even, subnormals taken as zero. */
export function toBf16(bits: number): number {
  if (isNaNBits(bits)) return (bits >>> 16) | 0x40;
  if ((bits & 0x7f800000) === 0) return (bits >>> 16) & 0x8000;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function toF16(call: Call, i: number): void {
  const { u16, f32, u32 } = call.state;
  const bits = u32[(call.a >> 2) + i];
  if ((call.immediate & 4) === 0 && (call.immediate & 3) !== 0) throw new Error("vcvtps2ph: only to nearest even here");
  u16[(call.out >> 1) + i] = isNaNBits(bits)
    ? ((bits >>> 16) & 0x8000) | 0x7e00 | ((bits >>> 13) & 0x3ff)
    : f16Bits(f32[(call.a >> 2) + i]);
}

function fromF16({ state: { u16, f32, u32 }, out, a }: Call, i: number): void {
  const bits = u16[(a >> 1) + i];
  if ((bits & 0x7fff) > 0x7c00) u32[(out >> 2) + i] = ((bits & 0x8000) << 16) | 0x7fc00000 | ((bits & 0x3ff) << 13);
  else f32[(out >> 2) + i] = f16Value(bits);
}

function truncate32(x: number): number {
  const whole = Math.trunc(x);
  return whole >= -(2 ** 31) && whole < 2 ** 31 ? whole : INDEFINITE_32;
}

/** A 64-bit integer rounded once: bits that f64 would drop are folded into its lowest one first. */
function roundInteger(value: bigint): number {
  const size = value < 0n ? -value : value;
  const excess = BigInt(Math.max(0, size.toString(2).length - 53));
  if (excess === 0n) return fround(Number(value));
  const kept = size >> excess;
  const sticky = kept << excess === size ? kept : kept | 1n;
  return fround(Number(value < 0n ? -sticky : sticky) * 2 ** Number(excess));
}

export const conversions: Readonly<Record<string, Operation>> = {
  vcvtdq2ps: {
    lane: 4,
    run: eachLane(({ state: { i32, f32 }, out, a }, i) => void (f32[(out >> 2) + i] = i32[(a >> 2) + i])),
  },
  vcvttps2dq: {
    lane: 4,
    run: eachLane(({ state: { i32, f32 }, out, a }, i) => void (i32[(out >> 2) + i] = truncate32(f32[(a >> 2) + i]))),
  },
  vcvtph2ps: { lane: 4, run: eachLane(fromF16) },
  vcvtps2ph: { lane: 2, run: eachLane(toF16) },
  /** The second source below, the first above. */
  vcvtne2ps2bf16: {
    lane: 2,
    shuffles: true,
    run: (call) => {
      const lanes = call.bytes / 4;
      for (let i = 0; i < 2 * lanes; i++) {
        const from = i < lanes ? (call.b >> 2) + i : (call.a >> 2) + i - lanes;
        call.state.u16[(call.out >> 1) + i] = toBf16(call.state.i32[from]);
      }
    },
  },
  vcvtneps2bf16: {
    lane: 2,
    run: eachLane(({ state: { u16, i32 }, out, a }, i) => void (u16[(out >> 1) + i] = toBf16(i32[(a >> 2) + i]))),
  },
  vcvtsi2ss: {
    lane: 4,
    scalar: true,
    run: ({ state: { u8, u64, f32 }, out, a, b, gprBits }) => {
      u8.copyWithin(out, a, a + 16);
      f32[out >> 2] = roundInteger(BigInt.asIntN(gprBits, u64[b >> 3]));
    },
  },
  vcvttss2si: {
    lane: 4,
    run: ({ state: { f32, i32, u64 }, out, a, gprBits }) => {
      const x = f32[a >> 2];
      if (gprBits === 32) i32[out >> 2] = truncate32(x);
      else u64[out >> 3] = x >= -(2 ** 63) && x < 2 ** 63 ? BigInt.asUintN(64, BigInt(Math.trunc(x))) : INDEFINITE_64;
    },
  },
};
