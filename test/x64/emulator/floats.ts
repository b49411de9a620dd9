// f32 arithmetic and comparisons, rounded to nearest even, subnormals kept (MXCSR as processes start with it). What is not
// a number follows the manual's rules bit by bit (SDM volume 1, 4.8.3.5 and 14.5.2): the first operand that is none,
// made quiet; where none is and there is no result, the default.
import { fusedMadd } from "../../../src/lanes/interpret-operations.ts";
import type { Call, Operation } from "./vector.ts";

const QUIET = 0x400000;
const DEFAULT_NAN = 0xffc00000 | 0;
const { fround } = Math;

export const isNaNBits = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;

/** The result where it is no number, from the operands' bits in their order of precedence. */
export function notANumber(...operands: number[]): number {
  const first = operands.find(isNaNBits);
  return first === undefined ? DEFAULT_NAN : first | QUIET;
}

type Binary = (a: number, b: number) => number;

/** Two sources, lane by lane; `count`: lanes, the rest of a scalar's comes from the first source. */
const binary =
  (f: Binary) =>
  (call: Call, count: number): void => {
    const { f32, i32 } = call.state;
    const [out, a, b] = [call.out >> 2, call.a >> 2, call.b >> 2];
    for (let i = 0; i < count; i++) {
      const result = fround(f(f32[a + i], f32[b + i]));
      if (Number.isNaN(result)) i32[out + i] = notANumber(i32[a + i], i32[b + i]);
      else f32[out + i] = result;
    }
  };

/** min and max: the second source unless the comparison holds, whatever its bits. */
const choose =
  (holds: (a: number, b: number) => boolean) =>
  (call: Call, count: number): void => {
    const { f32, i32 } = call.state;
    const [out, a, b] = [call.out >> 2, call.a >> 2, call.b >> 2];
    for (let i = 0; i < count; i++) i32[out + i] = holds(f32[a + i], f32[b + i]) ? i32[a + i] : i32[b + i];
  };

/** Which of (destination, first, second) are multiplied and which is added: the digits of vfmadd132 and so on. */
const orders = { 132: ["dest", "b", "a"], 213: ["a", "dest", "b"], 231: ["a", "b", "dest"] } as const;

const fused = (order: keyof typeof orders, productSign: number, sumSign: number): Body => {
  const [first, second, added] = orders[order];
  return (call, count) => {
    const { f32, i32 } = call.state;
    const [x, y, z] = [call[first] >> 2, call[second] >> 2, call[added] >> 2];
    const out = call.out >> 2;
    for (let i = 0; i < count; i++) {
      const result = fusedMadd(productSign * f32[x + i], f32[y + i], sumSign * f32[z + i]);
      if (Number.isNaN(result)) i32[out + i] = notANumber(i32[x + i], i32[y + i], i32[z + i]);
      else f32[out + i] = result;
    }
  };
};

type Body = (call: Call, count: number) => void;

const packed = (body: Body): Operation => ({ lane: 4, run: (call) => body(call, call.bytes / 4) });
/** The lowest lane; lanes 1 .. 3 are the first source's, or of a multiply-add the destination's. */
const scalar = (body: Body, rest: "a" | "dest" = "a"): Operation => ({
  lane: 4,
  scalar: true,
  run: (call) => {
    call.state.u8.copyWithin(call.out, call[rest], call[rest] + 16);
    body(call, 1);
  },
});

const squareRoot: Body = (call, count) => {
  const { f32, i32 } = call.state;
  // Of a scalar's two sources the second is meant.
  const from = (call.sources === 2 ? call.b : call.a) >> 2;
  for (let i = 0; i < count; i++) {
    const result = fround(Math.sqrt(f32[from + i]));
    if (Number.isNaN(result)) i32[(call.out >> 2) + i] = notANumber(i32[from + i]);
    else f32[(call.out >> 2) + i] = result;
  }
};

/** To a whole number: nearest even, down, up, towards zero. */
const roundings = [nearestEven, Math.floor, Math.ceil, Math.trunc];

function nearestEven(x: number): number {
  if (!(Math.abs(x) < 2 ** 23)) return x;
  const low = Math.floor(x);
  const rest = x - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  return low + Number(up);
}

/** Immediate: bits 0 and 1 the rounding, bit 2 MXCSR's (nearest) instead, vrndscale's bits 4 .. 7 binary places kept. */
function round({ state: { f32, i32 }, immediate, out, a, bytes, name }: Call): void {
  const rounding = roundings[immediate & 4 ? 0 : immediate & 3];
  const scale = name === "vrndscaleps" ? 2 ** (immediate >> 4) : 1;
  for (let i = 0; i < bytes / 4; i++) {
    const [x, bits] = [f32[(a >> 2) + i], i32[(a >> 2) + i]];
    if (Number.isNaN(x)) i32[(out >> 2) + i] = bits | QUIET;
    else if (!Number.isFinite(x)) i32[(out >> 2) + i] = bits;
    else {
      f32[(out >> 2) + i] = rounding(x * scale) / scale;
      i32[(out >> 2) + i] |= bits & (1 << 31); // what becomes zero keeps its sign
    }
  }
}

const [LESS, EQUAL, GREATER, UNORDERED] = [1, 2, 4, 8];
/** The relations for which each of 16 predicates holds; 16 .. 31 are the same but for exceptions. */
const predicates = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15];

const relation = (a: number, b: number): number => (a < b ? LESS : a === b ? EQUAL : a > b ? GREATER : UNORDERED);

const holds = ({ state: { f32 }, immediate, a, b }: Call, i: number): boolean =>
  (predicates[immediate & 15] & relation(f32[(a >> 2) + i], f32[(b >> 2) + i])) !== 0;

/** A comparison's result as lanes of ones and zeros, or as a mask's bits. */
export function compareLanes(
  call: Call,
  count: number,
  holds: (call: Call, i: number) => boolean,
  toMask: boolean,
): void {
  const { i32 } = call.state;
  for (let i = 0; i < count; i++) {
    if (!holds(call, i)) continue;
    if (toMask) i32[call.out >> 2] |= 1 << i;
    else i32[(call.out >> 2) + i] = -1;
  }
}

/** The flags of vcomiss and vucomiss. */
function compareFlags({ state, a, b }: Call): void {
  const found = relation(state.f32[a >> 2], state.f32[b >> 2]);
  state.setFlags(() => ({
    zero: (found & (EQUAL | UNORDERED)) !== 0,
    parity: found === UNORDERED,
    carry: (found & (LESS | UNORDERED)) !== 0,
    sign: false,
    overflow: false,
  }));
}

const bodies: Readonly<Record<string, Body>> = {
  vadd: binary((a, b) => a + b),
  vsub: binary((a, b) => a - b),
  vmul: binary((a, b) => a * b),
  vdiv: binary((a, b) => a / b),
  vmin: choose((a, b) => a < b),
  vmax: choose((a, b) => a > b),
  vsqrt: squareRoot,
  vfmadd132: fused(132, 1, 1),
  vfmadd213: fused(213, 1, 1),
  vfmadd231: fused(231, 1, 1),
  vfmsub213: fused(213, 1, -1),
  vfnmadd132: fused(132, -1, 1),
  vfnmadd213: fused(213, -1, 1),
  vfnmadd231: fused(231, -1, 1),
};

export const floats: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(Object.entries(bodies).map(([name, body]) => [`${name}ps`, packed(body)])),
  ...Object.fromEntries(
    Object.entries(bodies).map(([name, body]) => [`${name}ss`, scalar(body, name.startsWith("vf") ? "dest" : "a")]),
  ),
  vroundps: { lane: 4, run: round },
  vrndscaleps: { lane: 4, run: round },
  vcmpps: { lane: 4, run: (call) => compareLanes(call, call.bytes / 4, holds, call.dest === call.out) },
  vcomiss: { lane: 4, setsFlags: true, run: compareFlags },
  vucomiss: { lane: 4, setsFlags: true, run: compareFlags },
};
