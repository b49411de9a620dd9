// FP8 E4M3 (Micikevicius et al. 2022, "FP8 formats for deep learning"): sign, 4 bits of exponent, 3 of mantissa, no
// infinities, NaN where all the rest is ones. A format of checkpoints: kernels have none of it.

const BIAS = 7;

function valueOf(code: number): number {
  const [exponent, mantissa] = [(code >> 3) & 15, code & 7];
  if (exponent === 15 && mantissa === 7) return NaN;
  const size = exponent === 0 ? (mantissa / 8) * 2 ** (1 - BIAS) : (1 + mantissa / 8) * 2 ** (exponent - BIAS);
  return code > 127 ? -size : size;
}

/** The value of each byte. */
export const f8E4m3Values: Float32Array = Float32Array.from({ length: 256 }, (_, code) => valueOf(code));
