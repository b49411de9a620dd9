// What flows back through RMSNorm and LayerNorm, in one pass over x and dy: to x, to the gain, and dy's own sum, which a
// bias gets. Sums over rows are made of blocks' (sums.ts), in the same order. A part is a share of the blocks.
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, ceilDiv, mapFloats, sumFloats } from "./loops.ts";
import { SUM_ROWS } from "./sums.ts";

/**
 * x, dy, residual and out (rows, columns), gain (size): out = residual + r (g dy - x̂ mean(g dy x̂)), and where the norm is
 * centred g dy less its mean, of each group of `size` columns. gains and sums (blocks, stride): of each block of rows the
 * sums of dy x̂ and of dy by column modulo `size`. Any of residual, out, gains and sums may be 0; out may be residual.
 */
const words = [
  "x",
  "gain",
  "dy",
  "residual",
  "out",
  "gains",
  "sums",
  "rows",
  "columns",
  "size",
  "stride",
  "epsilon",
] as const;
type Words = Readonly<Record<(typeof words)[number], Int>>;

type At = (i: Int) => Floats;
const floatsAt =
  (base: Int): At =>
  (i) =>
    base.add(i.mul(FLOAT_BYTES)).loadFloats();

interface Normal {
  /** x, less its mean where the norm is centred. */
  readonly away: At;
  /** r. */
  readonly factor: Floats;
}

function normalOf(k: KernelBuilder, from: Int, { size, epsilon }: Words, isCentred: boolean): Normal {
  const at = floatsAt(from);
  const count = size.toFloat();
  const meanOf = (body: At) => sumFloats(k, size, body).lane(0).div(count);
  const mean = isCentred ? meanOf(at).splat() : undefined;
  const away: At = (i) => (mean === undefined ? at(i) : at(i).sub(mean));
  const square = meanOf((i) => away(i).mul(away(i)));
  return { away, factor: k.float(1).div(square.add(epsilon.asFloat()).sqrt()).splat() };
}

/** Adds to the sums of a block, whole registers: those past the last column hold what nobody reads. */
function addTo(k: KernelBuilder, sums: Int, size: Int, body: At): void {
  k.when(sums, () => {
    k.range(0, size, k.lanes, (i) => {
      const to = sums.add(i.mul(FLOAT_BYTES));
      to.store(to.loadFloats().add(body(i)));
    });
  });
}

function flowBack(k: KernelBuilder, w: Words, { away, factor }: Normal, offset: Int, isCentred: boolean): void {
  const [upstream, gain] = [floatsAt(w.dy.add(offset)), floatsAt(w.gain)];
  const flowing: At = (i) => upstream(i).mul(gain(i));
  const count = w.size.toFloat();
  const meanOf = (body: At) => sumFloats(k, w.size, body).lane(0).div(count).splat();
  const along = meanOf((i) => flowing(i).mul(away(i)))
    .mul(factor)
    .mul(factor);
  const mean = isCentred ? meanOf(flowing) : undefined;
  const result: At = (i) => {
    const centred = mean === undefined ? flowing(i) : flowing(i).sub(mean);
    return centred.sub(away(i).mul(along)).mul(factor);
  };
  const [to, other] = [w.out.add(offset), floatsAt(w.residual.add(offset))];
  k.when(
    w.residual,
    () => mapFloats(k, k.int(0), w.size, to, (i) => other(i).add(result(i))),
    () => mapFloats(k, k.int(0), w.size, to, result),
  );
}

function kernelOf(name: string, isCentred: boolean): Kernel<(typeof words)[number]> {
  return defineKernel(name, words, (k, w) => {
    const rowBytes = w.columns.mul(FLOAT_BYTES);
    k.share(ceilDiv(w.rows, SUM_ROWS), (first, end) => {
      k.range(first, end, 1, (block) => {
        const [gains, sums] = [w.gains, w.sums].map((base) => {
          const own = base.add(block.mul(w.stride).mul(FLOAT_BYTES));
          k.when(base, () => mapFloats(k, k.int(0), w.stride, own, () => k.floats(0)));
          return base.equals(0).select(0, own);
        });
        const row = block.mul(SUM_ROWS);
        const bytes = row.add(SUM_ROWS).min(w.rows).sub(row).mul(rowBytes);
        k.range(0, bytes, w.size.mul(FLOAT_BYTES), (group) => {
          const offset = row.mul(rowBytes).add(group);
          const normal = normalOf(k, w.x.add(offset), w, isCentred);
          const upstream = floatsAt(w.dy.add(offset));
          addTo(k, gains, w.size, (i) => upstream(i).mul(normal.away(i).mul(normal.factor)));
          addTo(k, sums, w.size, upstream);
          k.when(w.out, () => flowBack(k, w, normal, offset, isCentred));
        });
      });
    });
  });
}

export const rmsNormGradientKernel = kernelOf("rmsNormGradient", false);
export const layerNormGradientKernel = kernelOf("layerNormGradient", true);
