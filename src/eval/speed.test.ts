import assert from "node:assert/strict";
import { test } from "node:test";
import type { GenerateOptions, LanguageModel, ReplyEvent } from "../chat/types.ts";
import { readBandwidth } from "./read-bandwidth.ts";
import { measureSpeed } from "./speed.ts";

interface Asked {
  readonly ids: readonly number[];
  readonly options: GenerateOptions;
}

/** A model that reads and writes as fast as the lists say, one number a request. */
function timed(speeds: readonly number[], vocabularySize = 1000): { model: LanguageModel; asked: Asked[] } {
  const asked: Asked[] = [];
  async function* generate(ids: readonly number[], options: GenerateOptions): AsyncGenerator<ReplyEvent> {
    const speed = speeds[asked.length];
    asked.push({ ids, options });
    yield { type: "text-start", promptTokens: ids.length, cachedTokens: 0, seed: 0 };
    yield { type: "text-end" };
    yield {
      type: "end",
      finishReason: "length",
      ids: [],
      promptIds: ids,
      seed: 0,
      usage: { promptTokens: ids.length, cachedTokens: 0, completionTokens: 1 },
      timings: {
        prefillMs: 1,
        firstTokenMs: 1000 / speed,
        decodeMs: 1,
        prefillTokensPerSecond: speed,
        decodeTokensPerSecond: speed,
      },
    };
  }
  const info = { name: "m", executor: "cpu", tier: "t", threads: 1, loadMs: 1234.5678, bytesPerToken: 8 };
  const model = { info: { ...info, vocabularySize, memory: { weightBytes: 2.6e6 } }, generate };
  return { model: model as unknown as LanguageModel, asked };
}

test("512 tokens are read and 128 written after 20, greedy, the first run not counted", async () => {
  //                             warm-up,    run 1,     run 2,    run 3
  const { model, asked } = timed([900, 900, 100, 10, 300, 30, 200, 25]);
  const runs: number[] = [];
  const speed = await measureSpeed(model, 3, { onRun: (done) => runs.push(done), readBlock: 1 << 20 });
  assert.deepEqual(
    asked.map(({ ids, options }) => [ids.length, options.maxTokens, options.temperature, options.ignoreEnd]),
    Array.from({ length: 4 }, () => [
      [512, 1, 0, true],
      [20, 128, 0, true],
    ]).flat(),
  );
  assert.ok(asked.every(({ ids, options }) => options.reproducible && ids.every((id) => id >= 0 && id < 1000)));
  assert.deepEqual(runs, [1, 2, 3]);
  assert.deepEqual([speed.prefill_tok_s, speed.prefill_tok_s_median], [300, 200]);
  assert.deepEqual([speed.decode_tok_s, speed.decode_tok_s_median], [30, 25]);
  assert.deepEqual([speed.ttft_s, speed.load_s, speed.weights_mb], [0.03333, 1.235, 3]);
  assert.ok(speed.read_gb_s > 0 && speed.rss_mb > 0);
});

test("a small vocabulary has ids enough", async () => {
  const { model, asked } = timed([1, 1, 1, 1], 260);
  await measureSpeed(model, 1, { readBlock: 1 << 20 });
  assert.ok(asked.every(({ ids }) => ids.every((id) => Number.isInteger(id) && id >= 0 && id < 260)));
});

test("two threads read memory at some speed", async () => {
  const speed = await readBandwidth(2, { rounds: 1, block: 1 << 24 });
  assert.ok(Number.isFinite(speed) && speed > 0.05, `${speed} GB/s`);
});
