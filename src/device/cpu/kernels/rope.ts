// Rotary position embedding: rotates the first R columns of every head of a row by the row's angles, copies the rest.
// A part is a share of the (row, head) pairs. `out` may be the same place as `x` (a pair is read before it is written).
import { type Float, type Int, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";

const words = ["x", "cos", "sin", "out", "rows", "heads", "headSize", "half"] as const;

/** The pairs are (i, i + half) of a head. */
export const ropeHalvesKernel = defineKernel("rope.halves", words, (k, w) => {
  const halfBytes = w.half.mul(FLOAT_BYTES);
  k.share(w.rows.mul(w.heads), (first, end) => {
    k.range(first, end, 1, (unit) => {
      const head = unit.mul(w.headSize).mul(FLOAT_BYTES);
      const [from, to] = [w.x.add(head), w.out.add(head)];
      const angles = unit.div(w.heads).mul(halfBytes);
      const [cos, sin] = [w.cos.add(angles), w.sin.add(angles)];
      const whole = w.half.and(-k.lanes);
      k.range(0, whole.mul(FLOAT_BYTES), k.lanes * FLOAT_BYTES, (at) => {
        const [a, b] = [from.add(at).loadFloats(), from.add(halfBytes).add(at).loadFloats()];
        const [c, s] = [cos.add(at).loadFloats(), sin.add(at).loadFloats()];
        to.add(at).store(a.mul(c).sub(b.mul(s)));
        to.add(halfBytes)
          .add(at)
          .store(b.mul(c).add(a.mul(s)));
      });
      k.range(whole.mul(FLOAT_BYTES), halfBytes, FLOAT_BYTES, (at) => {
        rotate(
          from.add(at),
          from.add(halfBytes).add(at),
          cos.add(at),
          sin.add(at),
          to.add(at),
          to.add(halfBytes).add(at),
        );
      });
      copyRest(from, to, w.half, w.headSize);
    });
  });

  function copyRest(from: Int, to: Int, half: Int, headSize: Int): void {
    const rotated = half.mul(2);
    const rest = from.add(rotated.mul(FLOAT_BYTES));
    mapFloats(k, k.int(0), headSize.sub(rotated), to.add(rotated.mul(FLOAT_BYTES)), (i) =>
      rest.add(i.mul(FLOAT_BYTES)).loadFloats(),
    );
  }
});

/** The pairs are (2i, 2i + 1) of a head. */
export const ropeInterleavedKernel = defineKernel("rope.interleaved", words, (k, w) => {
  k.share(w.rows.mul(w.heads), (first, end) => {
    k.range(first, end, 1, (unit) => {
      const head = unit.mul(w.headSize).mul(FLOAT_BYTES);
      const [from, to] = [w.x.add(head), w.out.add(head)];
      const angles = unit.div(w.heads).mul(w.half).mul(FLOAT_BYTES);
      k.range(0, w.half.mul(FLOAT_BYTES), FLOAT_BYTES, (at) => {
        const [a, b] = [at.mul(2), at.mul(2).add(FLOAT_BYTES)];
        const [cos, sin] = [w.cos.add(angles).add(at), w.sin.add(angles).add(at)];
        rotate(from.add(a), from.add(b), cos, sin, to.add(a), to.add(b));
      });
      const rotated = w.half.mul(2);
      k.range(rotated.mul(FLOAT_BYTES), w.headSize.mul(FLOAT_BYTES), FLOAT_BYTES, (at) => {
        to.add(at).store(from.add(at).loadFloat());
      });
    });
  });
});

/** One pair, scalars at addresses. */
function rotate(a: Int, b: Int, cos: Int, sin: Int, toA: Int, toB: Int): void {
  const [x, y, c, s]: Float[] = [a, b, cos, sin].map((address) => address.loadFloat());
  toA.store(x.mul(c).sub(y.mul(s)));
  toB.store(y.mul(c).add(x.mul(s)));
}
