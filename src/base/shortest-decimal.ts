// Numbers of f32 precision as people write them.

/** So many digits tell every f32 from the next. */
const DIGITS_MOST = 9;
/** Most f32 take this many or one more, so the search begins here. */
const DIGITS_USUAL = 8;

/** The shortest decimal that is this f32: 0.000009999999747378752 → 0.00001. */
export function shortestDecimal(value: number): number {
  const single = Math.fround(value);
  const rounded = (digits: number): number => Number(value.toPrecision(digits));
  // a decimal that is it stays so with more digits
  const isEnough = (digits: number): boolean => Math.fround(rounded(digits)) === single;
  let digits = DIGITS_USUAL;
  while (digits > 1 && isEnough(digits - 1)) digits--;
  return digits < DIGITS_USUAL || isEnough(digits) ? rounded(digits) : rounded(DIGITS_MOST);
}

/** A vector as JSON should have it. */
export const shortestDecimals = (vector: Float32Array): number[] => Array.from(vector, shortestDecimal);
