// Counter-based random numbers: a pure function of (seed, stream, position), so a run can resume anywhere and
// sequences in one batch never share a stream. Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3"). Not here: distributions.

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // golden ratio
const WEYL_1 = 0xbb67ae85; // sqrt(3) - 1

/** Four u32 words for (seed, stream, position); `position` up to 2^53. */
export function philox(seed: number, stream: number, position: number): [number, number, number, number] {
  let c0 = position >>> 0;
  let c1 = Math.floor(position / 2 ** 32) >>> 0;
  let c2 = stream >>> 0;
  let c3 = Math.floor(stream / 2 ** 32) >>> 0;
  let k0 = seed >>> 0;
  let k1 = Math.floor(seed / 2 ** 32) >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A uniform number in [0, 1) with 53 random bits. */
export function uniform(seed: number, stream: number, position: number): number {
  const [a, b] = philox(seed, stream, position);
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

/** High 32 bits of a product of two u32, from four products of halves, each exact in a double. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const low = aLow * bLow;
  const middle = aHigh * bLow + aLow * bHigh + Math.floor(low / 2 ** 16); // below 2^34
  return aHigh * bHigh + Math.floor(middle / 2 ** 16);
}
