// The searches of numeric/search.ts over W runs side by side, a run a lane: every operation rounds as there, in the same
// order, so that codes and scales are the same bits. What a trial changes is changed in the lanes where it is better; a
// trial whose codes were tried before changes nothing. Not here: who runs them (lane-search.ts).
import { type Floats, type Int, type Ints, type Kernel, type KernelBuilder, defineKernel } from "../lanes/index.ts";
import { type AffineSearch, LEAST, TENTH } from "../numeric/search.ts";

const FLOAT_BYTES = 4;
/** Codes that a word holds. */
const TOGETHER = 4;

/** x, costs: runs one behind the other; codes: a byte each; `runs`: a multiple of W. */
const affineWords = ["x", "costs", "scales", "minima", "codes", "runs"] as const;
const signedWords = ["x", "costs", "scales", "codes", "runs"] as const;
export type AffineKernel = Kernel<(typeof affineWords)[number]>;
export type SignedKernel = Kernel<(typeof signedWords)[number]>;

/** A number of each weight of W runs, in scratch. */
class Column {
  readonly #at: Int;
  readonly #step: number;

  constructor(k: KernelBuilder, run: number, index: number) {
    this.#step = k.lanes * FLOAT_BYTES;
    this.#at = k.scratch.add(index * run * this.#step);
  }

  load(i: number): Floats {
    return this.#at.loadFloats(i * this.#step);
  }

  store(i: number, value: Floats | Ints): void {
    this.#at.store(value, i * this.#step);
  }

  /** The word of weight `i` of run `lane`. */
  get at(): Int {
    return this.#at;
  }
}

/** Brings `run` numbers of each of W runs, from `from` on, side by side. */
function turn(k: KernelBuilder, run: number, from: Int, to: Column): Column {
  for (let lane = 0; lane < k.lanes; lane++) {
    for (let i = 0; i < run; i++) {
      to.at.store(from.loadFloat((lane * run + i) * FLOAT_BYTES), (i * k.lanes + lane) * FLOAT_BYTES);
    }
  }
  return to;
}

/** Stores codes, whole numbers from 0 on, as bytes; `words` is overwritten. */
function storeCodes(k: KernelBuilder, run: number, codeOf: (i: number) => Ints, words: Column, to: Int): void {
  for (let i = 0; i < run; i += TOGETHER) {
    const bytes = Array.from({ length: TOGETHER }, (_, n) => codeOf(i + n).shl(8 * n));
    words.store(
      i / TOGETHER,
      bytes.reduce((a, b) => a.or(b)),
    );
  }
  for (let i = 0; i < run / TOGETHER; i++) {
    for (let lane = 0; lane < k.lanes; lane++) {
      to.store(words.at.loadInt((i * k.lanes + lane) * FLOAT_BYTES), lane * run + i * TOGETHER);
    }
  }
}

/** The integer nearest to `value` inside least..most; what is no number is the least. */
const inside = (k: KernelBuilder, value: Floats, least: number, most: number): Floats =>
  k.floats(most).min(k.floats(least).max(value)).nearest();

/** Whether a mask is set in some lane. */
const anyLane = (mask: Ints): Int => mask.selectFloats(1, 0).maximum().toInt();

/** `fitAffine` for runs of `run` weights. */
export function affineKernel(run: number, { most, first, step, steps, bySize = false }: AffineSearch): AffineKernel {
  const name = `fit.affine.${run}.${most}.${first}.${step}.${steps}.${bySize}`;
  return defineKernel(name, affineWords, (k, words) => {
    const column = (index: number): Column => new Column(k, run, index);
    const costOf = (difference: Floats): Floats => (bySize ? difference.abs() : difference.mul(difference));
    k.range(0, words.runs, k.lanes, (group) => {
      const place = group.mul(run);
      const x = turn(k, run, words.x.add(place.mul(FLOAT_BYTES)), column(0));
      const costs = turn(k, run, words.costs.add(place.mul(FLOAT_BYTES)), column(1));
      const [above, trialCodes, codes] = [column(2), column(3), column(4)];
      let [least, max, sumCosts] = [x.load(0), x.load(0), costs.load(0)];
      let sumX = sumCosts.mul(least);
      for (let i = 1; i < run; i++) {
        const [value, cost] = [x.load(i), costs.load(i)];
        least = least.min(value);
        max = max.max(value);
        sumCosts = sumCosts.add(cost);
        sumX = sumX.add(cost.mul(value));
      }
      const min = k.variable(k.floats(0).less(least).selectFloats(0, least));
      const isSpread = min.value.less(max);
      const plain = k.floats(most).div(max.sub(min.value));
      const scale = k.variable(k.floats(1).div(plain));
      const error = k.variable(k.floats(0));
      for (let i = 0; i < run; i++) {
        const value = x.load(i);
        const over = value.sub(min.value);
        above.store(i, over);
        const code = inside(k, plain.mul(over), 0, most);
        codes.store(i, code);
        const difference = scale.value.mul(code).add(min.value).sub(value);
        error.value = error.value.add(costs.load(i).mul(costOf(difference)));
      }
      k.range(0, steps + 1, 1, (trial) => {
        const wanted = trial.toFloat().splat().mul(step).add(first).add(most);
        const inverse = wanted.div(max.sub(min.value));
        let [sumL, sumL2, sumXl] = [k.floats(0), k.floats(0), k.floats(0)];
        for (let i = 0; i < run; i++) {
          const code = inside(k, inverse.mul(above.load(i)), 0, most);
          trialCodes.store(i, code);
          const cost = costs.load(i).mul(code);
          sumL = sumL.add(cost);
          sumL2 = sumL2.add(cost.mul(code));
          sumXl = sumXl.add(cost.mul(x.load(i)));
        }
        const determinant = sumCosts.mul(sumL2).sub(sumL.mul(sumL));
        const freeScale = sumCosts.mul(sumXl).sub(sumX.mul(sumL)).div(determinant);
        const freeMin = sumL2.mul(sumX).sub(sumL.mul(sumXl)).div(determinant);
        const isOver = k.floats(0).less(freeMin);
        const trialMin = isOver.selectFloats(0, freeMin);
        const trialScale = isOver.selectFloats(sumXl.div(sumL2), freeScale);
        let trialError = k.floats(0);
        for (let i = 0; i < run; i++) {
          const difference = trialScale.mul(trialCodes.load(i)).add(trialMin).sub(x.load(i));
          trialError = trialError.add(costs.load(i).mul(costOf(difference)));
        }
        const isBetter = trialError.less(error.value).and(k.floats(0).less(determinant)).and(isSpread);
        k.when(anyLane(isBetter), () => {
          error.value = isBetter.selectFloats(trialError, error.value);
          scale.value = isBetter.selectFloats(trialScale, scale.value);
          min.value = isBetter.selectFloats(trialMin, min.value);
          for (let i = 0; i < run; i++) {
            codes.store(i, isBetter.selectFloats(trialCodes.load(i), codes.load(i)));
            above.store(i, isBetter.selectFloats(x.load(i).sub(trialMin), above.load(i)));
          }
        });
      });
      words.scales.add(group.mul(FLOAT_BYTES)).store(isSpread.selectFloats(scale.value, 0));
      words.minima.add(group.mul(FLOAT_BYTES)).store(min.value.neg());
      storeCodes(k, run, (i) => codes.load(i).toInts().and(isSpread), trialCodes, words.codes.add(place));
    });
  });
}

/** `fitSigned` for runs of `run` weights. */
export function signedKernel(run: number, half: number): SignedKernel {
  return defineKernel(`fit.signed.${run}.${half}`, signedWords, (k, words) => {
    const column = (index: number): Column => new Column(k, run, index);
    const codeOf = (value: Floats): Floats => inside(k, value, -half, half - 1);
    k.range(0, words.runs, k.lanes, (group) => {
      const place = group.mul(run);
      const x = turn(k, run, words.x.add(place.mul(FLOAT_BYTES)), column(0));
      const costs = turn(k, run, words.costs.add(place.mul(FLOAT_BYTES)), column(1));
      const [products, trialCodes] = [column(2), column(3)];
      let extreme = k.floats(0);
      for (let i = 0; i < run; i++) {
        const value = x.load(i);
        extreme = extreme.abs().less(value.abs()).selectFloats(value, extreme);
        products.store(i, costs.load(i).mul(value));
      }
      const isZero = extreme.abs().less(LEAST);
      const [bestInverse, scale, best] = k.variables(3, k.floats(0));
      const tryInverse = (inverse: Floats, isFirst: boolean): void => {
        let [sumXl, sumL2] = [k.floats(0), k.floats(0)];
        for (let i = 0; i < run; i++) {
          const code = codeOf(inverse.mul(x.load(i)));
          sumXl = sumXl.add(products.load(i).mul(code));
          sumL2 = sumL2.add(costs.load(i).mul(code).mul(code));
        }
        const isSome = k.floats(0).less(sumL2);
        const isBetter = best.value.mul(sumL2).less(sumXl.mul(sumXl)).and(isSome);
        const fitted = sumL2.asInts().equals(0).selectFloats(0, sumXl.div(sumL2));
        const choose = (made: Floats, before: Floats): Floats => (isFirst ? made : isBetter.selectFloats(made, before));
        bestInverse.value = choose(inverse, bestInverse.value);
        scale.value = choose(fitted, scale.value);
        best.value = choose(fitted.mul(sumXl), best.value);
      };
      const inverseOf = (tenths: Floats): Floats => tenths.mul(TENTH).add(half).neg().div(extreme);
      tryInverse(inverseOf(k.floats(0)), true);
      // -9..9 without 0
      k.range(-9, 9, 1, (trial) => {
        const tenths = trial.less(0).select(trial, trial.add(1));
        tryInverse(inverseOf(tenths.toFloat().splat()), false);
      });
      words.scales.add(group.mul(FLOAT_BYTES)).store(isZero.selectFloats(0, scale.value));
      const final = (i: number): Ints => {
        const code = codeOf(bestInverse.value.mul(x.load(i))).add(half);
        return isZero.selectFloats(0, code).toInts();
      };
      storeCodes(k, run, final, trialCodes, words.codes.add(place));
    });
  });
}
