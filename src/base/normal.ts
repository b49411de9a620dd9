// The normal distribution, in f64.

const SQRT_2_PI = Math.sqrt(2 * Math.PI);
/** From here on the fraction needs no more terms than the series. */
const TAIL = 3;
const TAIL_TERMS = 60;

/** Its density, e^(-x²/2) / √(2π). */
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / SQRT_2_PI;

/**
 * Φ(x): the probability of a smaller number. Off by 2^-52 at most. Near 0 by the series 1/2 + φ(x) Σ x^(2n+1) / (2n+1)!!
 * (Marsaglia 2004), far from it by Laplace's continued fraction φ(x) / (x + 1 / (x + 2 / (x + ...))).
 */
export function normalCdf(x: number): number {
  const size = Math.abs(x);
  if (size < TAIL) {
    let [term, sum] = [x, x];
    for (let odd = 3; Math.abs(term) > 2 ** -54 * Math.abs(sum); odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    return 0.5 + normalDensity(x) * sum;
  }
  let fraction = size;
  for (let n = TAIL_TERMS; n > 0; n--) fraction = size + n / fraction;
  const tail = normalDensity(size) / fraction;
  return x > 0 ? 1 - tail : tail; // NaN stays NaN
}
