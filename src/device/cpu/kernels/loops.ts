// What loops of kernels share: sizes, and loops over the floats of a range with a tail that is no whole register, and sums
// that leave the tail's garbage out.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";

export const FLOAT_BYTES = 4;
/** A line of the caches: what one prefetch brings. */
export const LINE_BYTES = 64;

/** a / b rounded up, of whole numbers from 0 on. */
export const ceilDiv = (a: Int, b: Int | number): Int =>
  (typeof b === "number" ? a.add(b - 1) : a.add(b).sub(1)).div(b);

/**
 * Stores `body(i)` for each register of the elements [first, end) to `out`, f32 side by side; `body` takes the index of
 * its first element and may read up to a register past the end, of which nothing is stored.
 */
export function mapFloats(k: KernelBuilder, first: Int, end: Int, out: Int, body: (i: Int) => Floats): void {
  const whole = end.sub(k.lanes - 1);
  k.range(first, whole, k.lanes, (i) => out.add(i.mul(FLOAT_BYTES)).store(body(i)));
  const tail = first.add(end.sub(first).and(-k.lanes));
  k.when(tail.less(end), () => {
    k.scratch.store(body(tail));
    k.range(0, end.sub(tail), 1, (i) => {
      out.add(tail.add(i).mul(FLOAT_BYTES)).store(k.scratch.add(i.mul(FLOAT_BYTES)).loadFloat());
    });
  });
}

/** The sum of `body(i)` over the elements [0, count): registers added in order, then their lanes by halves. */
export function sumFloats(k: KernelBuilder, count: Int, body: (i: Int) => Floats): Floats {
  const sum = k.variable(k.floats(0));
  k.range(0, count.sub(k.lanes - 1), k.lanes, (i) => (sum.value = sum.value.add(body(i))));
  const tail = count.and(-k.lanes);
  k.when(tail.less(count), () => {
    const mask = laneNumbers(k).less(count.sub(tail).toFloat().splat());
    sum.value = sum.value.add(mask.selectFloats(body(tail), 0));
  });
  return sum.value.sum().splat();
}

/** 0, 1, 2, ... in the lanes. */
export function laneNumbers(k: KernelBuilder): Floats {
  for (let i = 0; i < k.lanes; i++) k.scratch.store(k.float(i), i * FLOAT_BYTES);
  return k.scratch.loadFloats();
}
