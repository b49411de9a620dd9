// Makes a picture larger or smaller as Pillow does (Image.resize of 8-bit pixels), to the same bytes: a weighted mean of all
// pixels that a new one stands for, across, then down; weights are whole numbers of 22 bits, so that the sums are exact.
import type { Pixels } from "./pixels.ts";

/** What weights are made of: how far a filter reaches, and what it gives at a distance from its middle. */
interface Filter {
  readonly reach: number;
  readonly at: (distance: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
/** The cubic's slope at 1 (Keys 1981). */
const A = -0.5;

export const filters = {
  box: { reach: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    reach: 1,
    at: (x) => (Math.abs(x) >= 1 ? 0 : x === 0 ? 1 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x))),
  },
  bicubic: {
    reach: 2,
    at(x) {
      const d = Math.abs(x);
      if (d < 1) return ((A + 2) * d - (A + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
    },
  },
  lanczos: { reach: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const satisfies Record<string, Filter>;
export type Resampling = keyof typeof filters | "nearest";

const BITS = 22;
const HALF = 2 ** (BITS - 1);

/** The pixels that new ones are made of, and their weights: `width` of each, of which `counts[i]` are used. */
interface Weights {
  readonly firsts: Int32Array;
  readonly counts: Int32Array;
  readonly width: number;
  readonly values: Int32Array;
}

function weightsOf(from: number, to: number, { reach, at }: Filter): Weights {
  const scale = from / to;
  const stretch = Math.max(scale, 1); // a smaller picture's pixel stands for many
  const support = reach * stretch;
  const width = Math.ceil(support) * 2 + 1;
  const [firsts, counts, values] = [new Int32Array(to), new Int32Array(to), new Int32Array(to * width)];
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(from, Math.trunc(center + support + 0.5)) - first;
    const weights = Array.from({ length: count }, (_, k) => at((k + first - center + 0.5) * (1 / stretch)));
    const sum = weights.reduce((a, b) => a + b, 0);
    for (const [k, weight] of weights.entries()) {
      const share = (sum === 0 ? weight : weight / sum) * 2 ** BITS;
      values[i * width + k] = Math.trunc(share + (share < 0 ? -0.5 : 0.5));
    }
    [firsts[i], counts[i]] = [first, count];
  }
  return { firsts, counts, width, values };
}

/** Lines of `count` pixels become lines of `weights.counts.length`; steps are distances in bytes of pixels and of lines. */
function resample(
  from: Uint8Array,
  weights: Weights,
  {
    lines,
    fromStep,
    fromLine,
    toStep,
    toLine,
  }: Readonly<Record<"lines" | "fromStep" | "fromLine" | "toStep" | "toLine", number>>,
): Uint8Array<ArrayBuffer> {
  const { firsts, counts, width, values } = weights;
  const to = new Uint8Array(lines * firsts.length * 3);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < firsts.length; i++) {
      const first = line * fromLine + firsts[i] * fromStep;
      let [red, green, blue] = [HALF, HALF, HALF];
      for (let k = 0; k < counts[i]; k++) {
        const [weight, at] = [values[i * width + k], first + k * fromStep];
        red += weight * from[at];
        green += weight * from[at + 1];
        blue += weight * from[at + 2];
      }
      const at = line * toLine + i * toStep;
      to[at] = byteOf(red);
      to[at + 1] = byteOf(green);
      to[at + 2] = byteOf(blue);
    }
  }
  return to;
}

const byteOf = (sum: number): number => Math.min(255, Math.max(0, Math.floor(sum / 2 ** BITS)));

/** `pixels` as width x height. */
export function resize(pixels: Pixels, width: number, height: number, resampling: Resampling): Pixels {
  if (resampling === "nearest") return nearest(pixels, width, height);
  const filter: Filter = filters[resampling];
  let { rgb } = pixels;
  if (width !== pixels.width) {
    const lines = { lines: pixels.height, fromStep: 3, fromLine: 3 * pixels.width, toStep: 3, toLine: 3 * width };
    rgb = resample(rgb, weightsOf(pixels.width, width, filter), lines);
  }
  if (height !== pixels.height) {
    const lines = { lines: width, fromStep: 3 * width, fromLine: 3, toStep: 3 * width, toLine: 3 };
    rgb = resample(rgb, weightsOf(pixels.height, height, filter), lines);
  }
  return { width, height, rgb };
}

/** The pixel under the middle of each new one. */
function nearest({ width: fromWidth, height: fromHeight, rgb }: Pixels, width: number, height: number): Pixels {
  const to = new Uint8Array(3 * width * height);
  const columns = middles(fromWidth, width);
  for (const [y, line] of middles(fromHeight, height).entries()) {
    for (const [x, column] of columns.entries()) {
      const at = 3 * (line * fromWidth + column);
      to.set(rgb.subarray(at, at + 3), 3 * (y * width + x));
    }
  }
  return { width, height, rgb: to };
}

/** Added up step by step, as Pillow does: between two pixels the rounding of the sums tells. */
function middles(from: number, to: number): Int32Array {
  const step = from / to;
  let middle = step * 0.5;
  return Int32Array.from({ length: to }, () => {
    const at = Math.trunc(middle);
    middle += step;
    return at;
  });
}
