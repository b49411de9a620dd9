// Softmax of rows and what is made with it: each from the logarithm of the row's sum of exponentials, which one kernel
// finds and all others read. A part is a share of the rows.
import { type Float, type Floats, type Int, type KernelBuilder, defineKernel, exp, log } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats, sumFloats } from "./loops.ts";
import type { FormSource } from "./tile-forms.ts";

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

/** What flows back to a row of x from its loss. */
interface FlowingLoss {
  /** dy ((1 + 2 z whole) exp(x - whole) - spread), 0 without a target. */
  readonly spread: (x: Floats) => Floats;
  /** What is taken away from it at the target, -1 without one. */
  readonly target: Int;
  readonly kept: Float;
}

type LossWords = Readonly<Record<"targets" | "whole" | "dy" | "kept" | "spread" | "z", Int>>;

function flowingLoss(w: LossWords, row: Int): FlowingLoss {
  const [target, whole, dy] = [w.targets, w.whole, w.dy].map((base) => base.add(row.mul(FLOAT_BYTES)));
  const upstream = target.loadInt().less(0).select(0, dy.loadInt()).asFloat();
  const sum = whole.splatFloats();
  const factor = sum.mul(w.z.asFloat().splat()).mul(2).add(1).mul(upstream.splat());
  const spread = w.spread.asFloat().mul(upstream).splat();
  return {
    spread: (x) => exp(x.sub(sum)).mul(factor).sub(spread),
    target: target.loadInt(),
    kept: upstream.mul(w.kept.asFloat()),
  };
}

/** out (rows, columns): dy ((1 + 2 z whole) exp(x - whole) - spread), less dy kept at the target; 0 without a target. */
export const crossEntropyGradientKernel = defineKernel(
  "crossEntropyGradient",
  ["x", "targets", "whole", "dy", "out", "rows", "columns", "kept", "spread", "z"],
  (k, w) => {
    k.share(w.rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const { spread, target, kept } = flowingLoss(w, row);
        const offset = row.mul(w.columns).mul(FLOAT_BYTES);
        const [from, to] = [w.x.add(offset), w.out.add(offset)];
        mapFloats(k, k.int(0), w.columns, to, (i) => spread(floatsAt(from)(i)));
        k.when(target.less(0).equals(0), () => {
          const wanted = to.add(target.mul(FLOAT_BYTES));
          wanted.store(wanted.loadFloat().sub(kept));
        });
      });
    });
  },
);

/** The same in the forms in which products read it. */
export const crossEntropyGradientSource: FormSource = {
  label: "crossEntropyGradient",
  words: ["x", "targets", "whole", "dy", "kept", "spread", "z"],
  open(k, w) {
    const lanes = laneNumbers(k);
    return (row) => {
      const { spread, target, kept } = flowingLoss(w, row);
      const from = floatsAt(w.x.add(row.mul(w.width).mul(FLOAT_BYTES)));
      return (column) => {
        // whole numbers below 2^24, whose differences are 0 or 1 at least
        const away = lanes.add(column.sub(target).toFloat().splat());
        return [spread(from(column)).sub(away.abs().less(0.5).selectFloats(kept.splat(), 0))];
      };
    };
  },
};
