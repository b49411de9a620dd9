// How fast weights are encoded on one thread, in each format: node bench/encode.ts. Weights are Gaussian, which searches
// take longest over; figures are millions of weights a second and the megabytes of f16 that they would be read from.
import { uniform } from "../src/base/random.ts";
import { type FormatName, formats } from "../src/numeric/registry.ts";

const COLUMNS = 2048;
const ROWS = 32;
const SECONDS = 1;

const weights = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => {
  const size = Math.sqrt(-2 * Math.log(1 - uniform(1, 0, i)));
  return 0.02 * size * Math.cos(2 * Math.PI * uniform(1, 1, i));
});
const importance = Float32Array.from({ length: COLUMNS }, (_, i) => Math.exp(2 * uniform(1, 2, i)));

/** Weights a second, at best. */
function speed(encode: () => unknown): number {
  let best = Infinity;
  for (const endMs = performance.now() + 1000 * SECONDS; performance.now() < endMs;) {
    const startMs = performance.now();
    encode();
    best = Math.min(best, performance.now() - startMs);
  }
  return (weights.length / best) * 1000;
}

console.log("format  Mweights/s  f16 MB/s   with importances");
for (const name of Object.keys(formats) as FormatName[]) {
  const { encode, blockSize } = formats[name];
  if (encode === undefined || blockSize === 1) continue;
  const [plain, weighted] = [speed(() => encode(weights)), speed(() => encode(weights, importance))];
  const figures = [plain, weighted].map((value) =>
    [value / 1e6, (2 * value) / 1e6].map((part) => part.toFixed(1).padStart(9)),
  );
  console.log(name.padEnd(8), ...figures.flat());
}
