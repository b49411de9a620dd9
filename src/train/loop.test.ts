// The loop over a trainer that only writes down what it is told, and over a tiny model.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAbort } from "../base/errors.ts";
import { type LoopOptions, type Position, type RunEvent, START, runLoop } from "./loop.ts";
import { trainingData } from "./training-data.ts";
import { testStore } from "../../test/train/memory-store.ts";
import type { MicroBatch, MicroBatches } from "./micro-batch.ts";
import type { Accumulated } from "./trainer.ts";

const learnt = testStore([{ ids: Array.from({ length: 30 }, (_, i) => i) }]);
const data = trainingData(
  { store: learnt, sha256: "a" },
  { store: testStore([{ ids: [1, 2, 3] }]), sha256: "b" },
  { batch: { window: 4, rows: 4, tokens: 4 }, seed: 1 },
  3,
);

/** A trainer whose loss at each accumulation is the next of `losses`. */
class Scripted {
  readonly log: string[] = [];
  updates = 0;
  readonly #found: Iterator<Partial<Accumulated>>;

  constructor(found: readonly Partial<Accumulated>[]) {
    this.#found = found[Symbol.iterator]();
  }
  async accumulate(batches: MicroBatches, signal?: AbortSignal): Promise<Accumulated> {
    signal?.throwIfAborted();
    for await (const { ids } of batches) assert.ok(ids.length > 0);
    return { loss: 2, norm: 0.5, weight: 4, measures: {}, ...this.#found.next().value };
  }
  apply(rate: number, clip = 1): Promise<void> {
    this.updates++;
    this.log.push(`apply ${rate} ${clip}`);
    return Promise.resolve();
  }
  discard(): void {
    this.log.push("discard");
  }
  look(batch: MicroBatch): Promise<{ losses: Float32Array }> {
    return Promise.resolve({ losses: new Float32Array(batch.targets.length).fill(Math.LN2) });
  }
  readonly states = {};
  rows(): Promise<Record<string, Float32Array>> {
    return Promise.resolve({});
  }
  draw(): Promise<[]> {
    return Promise.resolve([]);
  }
}

function setUp(found: readonly Partial<Accumulated>[], changes: Partial<LoopOptions> = {}) {
  const trainer = new Scripted(found);
  const events: RunEvent[] = [];
  const saved: Position[] = [];
  const options: LoopOptions = {
    trainer,
    data,
    schedule: { steps: 4, decay: "linear" },
    clip: 1,
    guard: { deviations: 8, patience: 2 },
    validateEvery: 0,
    checkpointEvery: 0,
    samplesEvery: 0,
    onEvent: (event) => events.push(event),
    save: async (position) => void saved.push(position),
    now: () => 0,
    ...changes,
  };
  return { trainer, events, saved, options };
}

test("follows the schedule, clips long gradients, and saves at the end", async () => {
  const { trainer, saved, options, events } = setUp([{}, { norm: 4 }]);
  const end = await runLoop(options);
  assert.deepEqual(trainer.log, ["apply 1 1", "apply 0.75 0.25", "apply 0.5 1", "apply 0.25 1"]);
  assert.deepEqual(saved, [end]);
  assert.equal(end.step, 4);
  assert.deepEqual(events[1], { type: "step", step: 2, loss: 2, norm: 4, rate: 0.75, tokens: 4, ms: 0 });
});

test("measures, samples and saves every so often, and at the end", async () => {
  const sampled: number[] = [];
  const { saved, options, events } = setUp([], {
    validateEvery: 3,
    checkpointEvery: 2,
    samplesEvery: 4,
    sample: async ({ step }) => void sampled.push(step),
  });
  await runLoop(options);
  assert.deepEqual(
    events.filter(({ type }) => type === "validation"),
    [3, 4].map((step) => ({
      type: "validation",
      step,
      tokens: 2,
      nats_per_token: Math.fround(Math.LN2),
      perplexity: Math.exp(Math.fround(Math.LN2)),
      bits_per_byte: (2 * Math.fround(Math.LN2)) / Math.LN2 / 3,
    })),
  );
  assert.deepEqual(
    saved.map(({ step }) => step),
    [2, 4],
  );
  assert.deepEqual(sampled, [4]);
});

/** Two updates a step. */
const twice = (between: () => void = () => undefined): LoopOptions["data"] => ({
  ...data,
  *updates(step) {
    yield data.batches(step);
    between();
    yield data.batches(step);
  },
});

test("a step of two updates applies both at its rate, tells their means, and is taken to its end when aborted", async () => {
  const abort = new AbortController();
  const found = [
    { loss: 1, norm: 4, measures: { clipped: 0 } },
    { loss: 3, norm: 1, measures: { clipped: 0.5 } },
  ];
  const { trainer, events, saved, options } = setUp(found, {
    data: twice(() => abort.abort()),
    signal: abort.signal,
  });
  await assert.rejects(runLoop(options), isAbort);
  assert.deepEqual(trainer.log, ["apply 1 0.25", "apply 1 1", "discard"]);
  const measures = { clipped: 0.25 };
  const tokens = 2 * data.batches(0)[0].ids.length;
  assert.deepEqual(events, [{ type: "step", step: 1, loss: 2, norm: 2.5, rate: 1, tokens, ms: 0, measures }]);
  assert.deepEqual(
    saved.map(({ step, updates }) => [step, updates]),
    [[1, 2]],
  );
});

test("an update that is no number ends its step, and says which it was", async () => {
  const { trainer, events, options } = setUp([{}, { loss: NaN }], {
    data: twice(),
    schedule: { steps: 1, decay: "constant" },
  });
  const end = await runLoop(options);
  assert.deepEqual(trainer.log, ["apply 1 1", "discard"]);
  assert.deepEqual([end.step, end.updates, end.guard.leftOut], [1, 1, 1]);
  assert.deepEqual(
    events.map((event) => "reason" in event && event.reason),
    ["its loss is NaN, in update 2 of the step"],
  );
});

test("goes on from where it stood: step, updates and what the guard knows", async () => {
  const found = [{ loss: 3 }, { loss: NaN }, { loss: 2 }, { loss: 1 }];
  const whole = setUp(found, { checkpointEvery: 2 });
  const end = await runLoop(whole.options);
  const rest = setUp(found.slice(2));
  assert.deepEqual(await runLoop(rest.options, whole.saved[0]), end);
  assert.deepEqual(end, { step: 4, updates: 3, guard: end.guard });
  assert.equal(end.guard.leftOut, 1);
  assert.deepEqual(rest.trainer.log, whole.trainer.log.slice(2));
});

test("a step that is no number is left out, and too many in a row end the run", async () => {
  const { trainer, events, options } = setUp([{}, { loss: NaN, norm: NaN }, { loss: Infinity }]);
  await assert.rejects(
    runLoop(options),
    /2 steps in a row were left out, the last one, 3, because its loss is Infinity/,
  );
  assert.deepEqual(trainer.log, ["apply 1 1", "discard", "discard"]);
  assert.deepEqual(events[1], { type: "left-out", step: 2, loss: "NaN", norm: "NaN", reason: "its loss is NaN" });
});

test("what is aborted is saved where it stands", async () => {
  const abort = new AbortController();
  const { trainer, saved, options } = setUp([], {
    signal: abort.signal,
    onEvent: (event) => event.step === 2 && abort.abort(),
  });
  await assert.rejects(runLoop(options), isAbort);
  assert.deepEqual(
    saved.map(({ step }) => step),
    [2],
  );
  assert.equal(trainer.log.at(-1), "discard");
  await assert.rejects(runLoop(options, saved[0]), isAbort);
  assert.equal(saved.length, 1); // nothing new to save
  assert.equal(START.step, 0);
});
