// Functions written in lanes operations, the same on every machine: exp, log, tanh, sigmoid, Φ, and 16-bit float conversions.
// Coefficients: minimax polynomials as in Cephes (Moshier 1992), expf, logf and tanhf; errors are below 2 units in the last
// place of f32 for exp and log and 4 for tanh over the ranges that math.test.ts walks.
import type { KernelBuilder } from "./builder.ts";
import type { Floats, Int, Ints } from "./values.ts";

const LN2_HIGH = 0.693359375; // 9 bits, so that n * LN2_HIGH is exact
const LN2_LOW = -2.1219444e-4;
const EXP_COEFFICIENTS = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5];
/** exp(x) for x within these stays a normal f32; outside it is what it is at the bound. */
const EXP_LEAST = -87.3;
const EXP_MOST = 88.3;
/** Added to a small number, leaves it rounded to an integer (ties to even), plus 127, in the sum's last bits. */
const SHIFTER = 1.5 * 2 ** 23 + 127;

/** e^x; x is clamped to [-87.3, 88.3]. */
export function exp(x: Floats): Floats {
  const clamped = x.max(EXP_LEAST).min(EXP_MOST);
  const shifted = clamped.mul(Math.LOG2E).add(SHIFTER);
  const n = shifted.sub(SHIFTER);
  const r = n.madd(-LN2_LOW, n.madd(-LN2_HIGH, clamped));
  const [first, ...rest] = EXP_COEFFICIENTS;
  let sum = r.mul(first).add(rest[0]);
  for (const coefficient of rest.slice(1)) sum = sum.madd(r, coefficient);
  const fraction = sum.madd(r.mul(r), r).add(1);
  return fraction.mul(shifted.asInts().shl(23).asFloats()); // times 2^n: n + 127 are the sum's last bits
}

const LOG_COEFFICIENTS = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const LEAST_NORMAL = 2 ** -126;

/** The natural logarithm: -Infinity of 0, NaN below. */
export function log(x: Floats): Floats {
  const isSmall = x.less(LEAST_NORMAL);
  const bits = isSmall.selectFloats(x.mul(2 ** 23), x).asInts();
  const fraction = bits.and(0x7fffff).or(0x3f000000).asFloats(); // 0.5 to 1
  const isLow = fraction.less(Math.SQRT1_2);
  const exponent = bits.shr(23).sub(126).sub(isSmall.and(23)).add(isLow); // a mask is -1
  const m = fraction.sub(1).add(isLow.selectFloats(fraction, 0));
  const e = exponent.toFloats();
  const square = m.mul(m);
  const [first, ...rest] = LOG_COEFFICIENTS;
  let sum = m.mul(first).add(rest[0]);
  for (const coefficient of rest.slice(1)) sum = sum.madd(m, coefficient);
  const small = e.madd(LN2_LOW, sum.mul(square).mul(m)).sub(square.mul(0.5));
  const whole = e.madd(LN2_HIGH, m.add(small));
  const size = x.asInts().and(0x7fffffff);
  const isZero = size.equals(0);
  const isFinite = size.greater(0x7f7fffff).xor(-1);
  const isBelow = x.less(0).and(isZero.xor(-1));
  const finite = isFinite.selectFloats(whole, x); // infinity and NaN are their own
  return isZero.selectFloats(-Infinity, isBelow.selectFloats(NaN, finite));
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Floats, k: KernelBuilder): Floats {
  return k.floats(1).div(exp(x.neg()).add(1));
}

const TANH_COEFFICIENTS = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
/** Below this magnitude the odd polynomial, above it 1 - 2 / (e^2x + 1). */
const TANH_SMALL = 0.625;

export function tanh(x: Floats, k: KernelBuilder): Floats {
  const square = x.mul(x);
  const [first, ...rest] = TANH_COEFFICIENTS;
  let sum = square.mul(first).add(rest[0]);
  for (const coefficient of rest.slice(1)) sum = sum.madd(square, coefficient);
  const small = sum.mul(square).madd(x, x);
  const size = x.abs();
  const large = k.floats(1).sub(k.floats(2).div(exp(size.add(size)).add(1)));
  const sign = x.asInts().and(0x80000000);
  return size.less(TANH_SMALL).selectFloats(small, large.asInts().or(sign).asFloats());
}

/**
 * Φ(-a) e^(a²/2) is a polynomial of t = 1 / (1 + 0.3 a), in the form of Abramowitz & Stegun 7.1.26; fitted to be off by
 * 1.8e-7 of itself at most for a from 0 to 14. From t's first power up.
 */
const TAIL_COEFFICIENTS = [
  0.11962586597, 0.12081218082, 0.099513504676, 0.13000500801, -0.05664501438, 0.20981963733, -0.15935455761,
  0.036223371416,
];
const TAIL_SLOPE = 0.3;
/** Beyond this the tail is nothing beside 1, and no subnormal number yet, which machines are slow with. */
const TAIL_END = 12.5;

/** Φ(x), the probability of a smaller normal number; below -12.5 it is what it is there, 4e-36. */
export function normalCdf(x: Floats, k: KernelBuilder): Floats {
  const size = x.abs().min(TAIL_END);
  const t = k.floats(1).div(size.mul(TAIL_SLOPE).add(1));
  const [first, ...rest] = TAIL_COEFFICIENTS.toReversed();
  let sum = t.mul(first).add(rest[0]);
  for (const coefficient of rest.slice(1)) sum = sum.madd(t, coefficient);
  const tail = sum.mul(t).mul(exp(size.mul(size).mul(-0.5)));
  return x.less(0).selectFloats(tail, k.floats(1).sub(tail));
}

/** W f16 numbers at an address, as f32: exact, infinities and NaNs too. */
export function loadF16(address: Int, offset: number): Floats {
  if (address.tracer.machine.f16) return address.loadF16(offset);
  // Sign-extended and shifted, sign and mantissa are in place; the exponent lacks 127 - 15, which a product adds (and
  // makes subnormals right). Exponent 31 must become 255.
  const raw = address.loadSignedHalves(offset);
  const value = raw
    .shl(13)
    .and(0x8fffe000)
    .asFloats()
    .mul(2 ** 112);
  const special = raw.and(0x7fff).greater(0x7bff);
  return value.asInts().or(special.and(0x7f800000)).asFloats();
}

/** W bf16 numbers at an address, as f32. */
export function loadBf16(address: Int, offset: number): Floats {
  return address.loadHalves(offset).shl(16).asFloats();
}

/** f32 to f16 bits in the low half of each lane, rounded to nearest even. */
export function toF16Bits(x: Floats, k: KernelBuilder): Ints {
  const bits = x.asInts();
  const size = bits.and(0x7fffffff);
  const odd = size.shr(13).and(1);
  const normal = size
    .add(0xfff - (112 << 23))
    .add(odd)
    .shr(13);
  // Adding 0.5 leaves a subnormal f16's bits, rounded, at the end of the sum's mantissa.
  const subnormal = size.asFloats().add(0.5).asInts().sub(0x3f000000);
  const infinite = size.greater(0x7f800000).select(0x7e00, 0x7c00);
  const finite = k.ints(0x38800000).greater(size).select(subnormal, normal);
  const rounded = size.greater(0x477fefff).select(infinite, finite); // 65520 and more
  return rounded.or(bits.shr(16).and(0x8000));
}
