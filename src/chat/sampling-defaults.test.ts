import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedSettings } from "../engine/index.ts";
import { beamsOf, ggufSampling, hfSampling, samplingOf } from "./sampling-defaults.ts";

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

test("beams are those that a config recommends, but where it samples, and where a reply asks for what they do not go with", () => {
  const beams = { num_beams: 4, length_penalty: 0.6, early_stopping: true };
  const recommended = { beams: 4, lengthPenalty: 0.6, earlyStopping: true };
  assert.deepEqual(hfSampling(beams), recommended);
  assert.deepEqual(hfSampling({ ...beams, do_sample: true }), {});
  assert.deepEqual(hfSampling({ num_beams: 1, length_penalty: 2 }), {});
  assert.deepEqual(hfSampling({ num_beams: 2, length_penalty: "1", early_stopping: 3 }), { beams: 2 });

  const settings = { count: 4, lengthPenalty: 0.6, earlyStopping: true };
  assert.deepEqual(beamsOf({}, recommended), settings);
  assert.deepEqual(beamsOf({ temperature: 0 }, recommended), settings);
  for (const options of [{ temperature: 0.5 }, { logprobs: 0 }, { beams: 1 }]) {
    assert.equal(beamsOf(options, recommended), undefined);
  }
  assert.deepEqual(beamsOf({ beams: 2, lengthPenalty: 1 }, recommended), { ...settings, count: 2, lengthPenalty: 1 });
  assert.equal(beamsOf({}, {}), undefined);
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
