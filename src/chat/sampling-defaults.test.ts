import assert from "node:assert/strict";
import { test } from "node:test";
import { ggufSampling, hfSampling, samplingOf } from "./sampling-defaults.ts";

test("generation_config.json's names become options, greedy where it samples not", () => {
  const config = {
    do_sample: true,
    temperature: 0.7,
    top_k: 20,
    top_p: 0.8,
    repetition_penalty: 1.05,
    eos_token_id: [1],
  };
  assert.deepEqual(hfSampling(config), { temperature: 0.7, topK: 20, topP: 0.8, repetitionPenalty: 1.05 });
  assert.deepEqual(hfSampling({ do_sample: false }), { temperature: 0 });
  assert.deepEqual(hfSampling({ temperature: null }), {});
});

test("GGUF's recommendations become options", () => {
  const metadata = { "general.sampling.temp": 0.6, "general.sampling.top_k": 64, "general.name": "x" };
  assert.deepEqual(ggufSampling(metadata), { temperature: 0.6, topK: 64 });
});

test("an option of 0 is not mistaken for none", () => {
  assert.equal(samplingOf({ temperature: 0 }, { temperature: 0.6 }).temperature, 0);
  assert.equal(samplingOf({}, { temperature: 0.6 }).temperature, 0.6);
  assert.equal(samplingOf({}, {}).temperature, 0.8);
});
