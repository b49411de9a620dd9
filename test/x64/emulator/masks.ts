// Instructions on mask registers. The name's last letter is how many bits count: b 8, w 16, d 32, q 64.
import type { Call, Operation } from "./vector.ts";

const letterBits = { b: 8, w: 16, d: 32, q: 64 } as const;
const letters = Object.keys(letterBits) as (keyof typeof letterBits)[];

/** Bits above the letter's are zero. */
function store({ state: { i32 }, out }: Call, bits: number, low: number, high: number): void {
  i32[out >> 2] = bits < 32 ? low & ((1 << bits) - 1) : low;
  i32[(out >> 2) + 1] = bits === 64 ? high : 0;
}

const each =
  (bits: number, f: (a: number, b: number) => number) =>
  (call: Call): void => {
    const { i32 } = call.state;
    const [a, b] = [call.a >> 2, call.b >> 2];
    store(call, bits, f(i32[a], i32[b]), f(i32[a + 1], i32[b + 1]));
  };

const logic: Readonly<Record<string, (a: number, b: number) => number>> = {
  kmov: (a) => a,
  knot: (a) => ~a,
  kand: (a, b) => a & b,
  kandn: (a, b) => ~a & b,
  kor: (a, b) => a | b,
  kxor: (a, b) => a ^ b,
  kxnor: (a, b) => ~(a ^ b),
};

/** Zero: no bit of either is set; carry: all are. */
const test = (bits: number): Operation => ({
  lane: 4,
  setsFlags: true,
  run: (call) => {
    each(bits, (a, b) => a | b)(call);
    const found = BigInt.asUintN(bits, call.state.u64[call.out >> 3]);
    const all = BigInt.asUintN(bits, -1n);
    call.state.setFlags(() => ({
      zero: found === 0n,
      carry: found === all,
      sign: false,
      overflow: false,
      parity: false,
    }));
  },
});

/** Each bit of a mask as a 32-bit lane. */
const toLanes: Operation = {
  lane: 4,
  run: ({ state: { i32 }, out, a, bytes }) => {
    for (let i = 0; i < bytes / 4; i++) i32[(out >> 2) + i] = -((i32[a >> 2] >>> i) & 1);
  },
};

export const masks: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(
    letters.flatMap((letter) => [
      ...Object.entries(logic).map(([name, f]): [string, Operation] => [
        name + letter,
        { lane: 4, run: each(letterBits[letter], f) },
      ]),
      [`kortest${letter}`, test(letterBits[letter])],
    ]),
  ),
  vpmovm2d: toLanes,
};
