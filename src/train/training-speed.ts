// How fast this machine trains: whole steps (forward, backward, AdamW) of a GPT of 13.9 million parameters (V 8192, C 384,
// 6 layers, 6 heads, documents of 256 tokens) on random ids, the same again and again, so that the loss has to fall.
import { sum } from "../base/collections.ts";
import { UsageError } from "../base/errors.ts";
import { tierInUse } from "../device/cpu/tiers.ts";
import type { Executor } from "../device/executor.ts";
import { measurePeaks } from "../eval/machine-speed.ts";
import { newModel } from "../models/index.ts";
import { initialiseWeights } from "./initial-weights.ts";
import { adamW } from "./optimizers/adamw.ts";
import { type MicroBatch, Trainer } from "./trainer.ts";

const VOCABULARY = 8192;
const LENGTH = 256;
const LEARNING_RATE = 3e-4;

export interface TrainingSpeedOptions {
  readonly executor: Executor;
  readonly threads: number;
  /** "fast": products in bf16 where the machine is faster so. */
  readonly precision: "f32" | "fast";
  /** Steps that count, after one that does not. */
  readonly steps: number;
  /** Documents in a step. */
  readonly documents: number;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (done: number) => void;
  /** Called at the end, while all is still open. */
  readonly onMeasured?: () => void;
}

/** 10^9 operations a second are multiplications and additions. */
export interface TrainingSpeed {
  readonly params: number;
  readonly tokens_per_s: number;
  /** 6 x parameters x tokens a second: a tied table once, attention not counted. */
  readonly gflops: number;
  /** What the machine does at most in that precision, measured in the same run; null where it was not. */
  readonly peak_gflops: number | null;
  readonly f32_peak_gflops: number | null;
  readonly precision: "f32" | "bf16";
  readonly tier: string;
  readonly threads: number;
  readonly loss_first: number;
  readonly loss_last: number;
}

/** Best of `steps`. Throws UsageError for no step or no document. */
export async function measureTraining(options: TrainingSpeedOptions): Promise<TrainingSpeed> {
  const { executor, threads, precision, steps, documents, signal, onStep, onMeasured } = options;
  if (!(steps >= 1 && documents >= 1)) {
    throw new UsageError(`${steps} steps of ${documents} documents: expected one at least.`);
  }
  const model = newModel({
    model_type: "gpt2",
    vocab_size: VOCABULARY,
    n_positions: LENGTH,
    n_embd: 384,
    n_layer: 6,
    n_head: 6,
    tie_word_embeddings: true,
  });
  const rows = documents * LENGTH;
  const optimizer = adamW({ weightDecay: 0.1 });
  const trainerOptions = { rows, targets: rows, optimizerOf: () => optimizer, threads, precision };
  await using trainer = await Trainer.open(model, NO_STORE, executor, trainerOptions);
  initialiseWeights(model, trainer.states, 1);
  const batch = randomBatch(rows);
  const losses: number[] = [];
  let best = Infinity;
  for (let step = 0; step <= steps; step++) {
    signal?.throwIfAborted();
    const from = performance.now();
    const { loss } = await trainer.accumulate([batch]);
    await trainer.apply(LEARNING_RATE);
    if (step > 0) best = Math.min(best, performance.now() - from);
    losses.push(loss);
    onStep?.(step);
  }
  onMeasured?.();
  const params = sum(Array.from(model.parameters.values(), (weight) => weight.rows * weight.columns));
  const tokens = (1000 * rows) / best;
  const tier = executor.name === "cpu" ? tierInUse() : undefined;
  const peaks = tier === undefined ? undefined : await measurePeaks(tier, threads);
  const isRounded = precision === "fast" && tier?.machine.tiles === true;
  return {
    params,
    tokens_per_s: Math.round(tokens),
    gflops: Math.round((6 * params * tokens) / 1e9),
    peak_gflops: (isRounded ? peaks?.bf16 : peaks?.f32) ?? null,
    f32_peak_gflops: peaks?.f32 ?? null,
    precision: isRounded ? "bf16" : "f32",
    tier: executor.tier,
    threads,
    loss_first: losses[0],
    loss_last: losses.at(-1)!,
  };
}

const NO_STORE = { parameters: new Map(), readRows: () => Promise.reject(new Error("every weight is trained")) };

function randomBatch(rows: number): MicroBatch {
  let state = 1;
  const randomId = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % VOCABULARY;
  };
  const ids = Int32Array.from({ length: rows }, randomId);
  const positions = Int32Array.from({ length: rows }, (_, row) => row % LENGTH);
  return {
    ids,
    positions,
    starts: positions.map((position, row) => row - position),
    outputRows: Int32Array.from({ length: rows }, (_, row) => row),
    targets: Int32Array.from(ids, (_, row) => ids[(row + 1) % rows]),
    weights: new Float32Array(rows).fill(1),
  };
}
