// What loss a run may be expected to reach, from runs of one's own that have ended: a power law in operations through their
// held-out losses (Kaplan et al. 2020, section 6), with the range in which one more run would lie. Pure.
// Not here: finding the runs (cli/expected-loss.ts).

/** A run of a new model that ended, on the same data and with the same tokens. */
export interface FinishedRun {
  /** Operations of all its steps. */
  readonly flops: number;
  /** Held out, nats a token. */
  readonly nats: number;
}

export interface ExpectedLoss {
  /** Nats a token. */
  readonly nats: number;
  /** Nine of ten runs like those would lie between these. */
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** How far beyond the runs it is: operations over their most, or their least over it; 1 inside. */
  readonly beyond: number;
}

/** A line through two points always fits: the third says how well. */
export const RUNS_MIN = 3;
/** Runs of hardly different length say nothing of the slope. */
const SPREAD_MIN = 2;
/** Of Student's t distribution, 95 %, by degrees of freedom from 1 on. */
const T95 = [6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812];
const T95_MANY = 1.7; // from 30 on within 0.5 %, before that a little narrow

/** undefined where there are too few runs, or they are too much alike in length. */
export function expectedLoss(flops: number, runs: readonly FinishedRun[]): ExpectedLoss | undefined {
  const most = Math.max(...runs.map((run) => run.flops));
  const least = Math.min(...runs.map((run) => run.flops));
  if (runs.length < RUNS_MIN || most < SPREAD_MIN * least) return undefined;
  const points = runs.map((run) => ({ x: Math.log(run.flops), y: Math.log(run.nats) }));
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [xMean, yMean] = [mean(({ x }) => x), mean(({ y }) => y)];
  const xSquares = points.reduce((sum, { x }) => sum + (x - xMean) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - xMean) * (y - yMean), 0) / xSquares;
  const at = (x: number): number => yMean + slope * (x - xMean);
  const freedom = points.length - 2;
  const variance = points.reduce((sum, { x, y }) => sum + (y - at(x)) ** 2, 0) / freedom;
  const x = Math.log(flops);
  // of one more run, not of the line
  const deviation = Math.sqrt(variance * (1 + 1 / points.length + (x - xMean) ** 2 / xSquares));
  const room = (T95[freedom - 1] ?? T95_MANY) * deviation;
  return {
    nats: Math.exp(at(x)),
    low: Math.exp(at(x) - room),
    high: Math.exp(at(x) + room),
    runs: runs.length,
    beyond: Math.max(1, flops / most, least / flops),
  };
}
