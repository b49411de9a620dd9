import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedSettings } from "../engine/index.ts";
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

test("what no setting can be is no recommendation, so that a file cannot fail every reply", () => {
  const odd = { temperature: -1, top_k: 2.5, top_p: 0, min_p: "0.1", typical_p: 7, repetition_penalty: 0 };
  assert.deepEqual(hfSampling(odd), {});
  assert.deepEqual(ggufSampling({ "general.sampling.temp": NaN, "general.sampling.penalty_last_n": -2 }), {});
  const settings = samplingOf({ seed: 1 }, hfSampling(odd));
  assert.deepEqual(checkedSettings(settings, 10), settings);
});

test("a negative number of tokens to keep is how files say all of them", () => {
  assert.deepEqual(hfSampling({ top_k: -1 }), { topK: 0 });
});

test("an option of 0 is not mistaken for none", () => {
  assert.equal(samplingOf({ temperature: 0 }, { temperature: 0.6 }).temperature, 0);
  assert.equal(samplingOf({}, { temperature: 0.6 }).temperature, 0.6);
  assert.equal(samplingOf({}, {}).temperature, 0.8);
});
