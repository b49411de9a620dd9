// Softmax of rows and what is made with it: each from the logarithm of the row's sum of exponentials, which one kernel
// finds and all others read. A part is a share of the rows.
import { type Floats, type Int, type KernelBuilder, defineKernel, exp, log } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats, sumFloats } from "./loops.ts";

const floatsAt =
  (base: Int) =>
  (i: Int): Floats =>
    base.add(i.mul(FLOAT_BYTES)).loadFloats();

function largest(k: KernelBuilder, count: Int, body: (i: Int) => Floats): Floats {
  const most = k.variable(k.floats(-Infinity));
  k.range(0, count.sub(k.lanes - 1), k.lanes, (i) => (most.value = most.value.max(body(i))));
  const tail = count.and(-k.lanes);
  k.when(tail.less(count), () => {
    const mask = laneNumbers(k).less(count.sub(tail).toFloat().splat());
    most.value = most.value.max(mask.selectFloats(body(tail), -Infinity));
  });
  return most.value.maximum().splat();
}

/** out (rows) = log Σ exp of each row of x (rows, columns). */
export const logSumExpKernel = defineKernel("logSumExp", ["x", "out", "rows", "columns"], (k, w) => {
  k.share(w.rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const at = floatsAt(w.x.add(row.mul(w.columns).mul(FLOAT_BYTES)));
      const most = largest(k, w.columns, at);
      const sum = sumFloats(k, w.columns, (i) => exp(at(i).sub(most)));
      w.out.add(row.mul(FLOAT_BYTES)).store(log(sum).add(most).lane(0));
    });
  });
});

/** out (rows, columns) = exp(x - whole), `whole` (rows) the logarithms of the rows' sums. */
export const softmaxKernel = defineKernel("softmax", ["x", "whole", "out", "rows", "columns"], (k, w) => {
  k.share(w.rows, (first, end) => {
    k.range(first, end, 1, (row) => {
      const offset = row.mul(w.columns).mul(FLOAT_BYTES);
      const [at, whole] = [floatsAt(w.x.add(offset)), w.whole.add(row.mul(FLOAT_BYTES)).splatFloats()];
      mapFloats(k, k.int(0), w.columns, w.out.add(offset), (i) => exp(at(i).sub(whole)));
    });
  });
});

/**
 * out (rows): whole - kept x[target] - spread Σ x + z whole², 0 where the target is negative. f32 bits: kept is 1 - ε, spread ε / V.
 */
export const crossEntropyKernel = defineKernel(
  "crossEntropy",
  ["x", "targets", "whole", "out", "rows", "columns", "kept", "spread", "z"],
  (k, w) => {
    k.share(w.rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const target = w.targets.add(row.mul(4)).loadInt();
        const loss = k.variable(k.float(0));
        k.when(target.less(0).equals(0), () => {
          const from = w.x.add(row.mul(w.columns).mul(FLOAT_BYTES));
          const whole = w.whole.add(row.mul(FLOAT_BYTES)).loadFloat();
          const wanted = from.add(target.mul(FLOAT_BYTES)).loadFloat();
          const square = whole.mul(whole).mul(w.z.asFloat());
          loss.value = whole.sub(wanted.mul(w.kept.asFloat())).add(square);
          k.when(w.spread, () => {
            const sum = sumFloats(k, w.columns, floatsAt(from)).lane(0);
            loss.value = loss.value.sub(sum.mul(w.spread.asFloat()));
          });
        });
        w.out.add(row.mul(FLOAT_BYTES)).store(loss.value);
      });
    });
  },
);

/** out (rows, columns): dy ((1 + 2 z whole) exp(x - whole) - spread), less dy kept at the target; 0 without a target. */
export const crossEntropyGradientKernel = defineKernel(
  "crossEntropyGradient",
  ["x", "targets", "whole", "dy", "out", "rows", "columns", "kept", "spread", "z"],
  (k, w) => {
    k.share(w.rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const target = w.targets.add(row.mul(4)).loadInt();
        const offset = row.mul(w.columns).mul(FLOAT_BYTES);
        const [from, to] = [w.x.add(offset), w.out.add(offset)];
        k.when(
          target.less(0),
          () => mapFloats(k, k.int(0), w.columns, to, () => k.floats(0)),
          () => {
            const whole = w.whole.add(row.mul(FLOAT_BYTES)).splatFloats();
            const dy = w.dy.add(row.mul(FLOAT_BYTES)).splatFloats();
            const factor = whole.mul(w.z.asFloat().splat()).mul(2).add(1).mul(dy);
            const spread = w.spread.asFloat().splat().mul(dy);
            mapFloats(k, k.int(0), w.columns, to, (i) => exp(floatsAt(from)(i).sub(whole)).mul(factor).sub(spread));
            const wanted = to.add(target.mul(FLOAT_BYTES));
            wanted.store(wanted.loadFloat().sub(dy.lane(0).mul(w.kept.asFloat())));
          },
        );
      });
    });
  },
);
