// What choosing one id costs at the largest common vocabulary, per settings: best and median of 60 choices, in
// milliseconds. Run: node bench/sampler.ts
import { uniform } from "../src/base/random.ts";
import { LOGIT_BLOCK } from "../src/models/trace.ts";
import { Sampler, type SamplingSettings, neutralSettings } from "../src/engine/index.ts";

const VOCABULARY = 262_144;
const HISTORY = 2000;
const ROUNDS = 60;

const usual = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 };
const cases: Record<string, Partial<SamplingSettings>> = {
  greedy: {},
  "top-k 40, top-p, min-p": usual,
  "the same with penalties": { ...usual, repetitionPenalty: 1.1, presencePenalty: 0.1 },
  "top-k 1000": { ...usual, topK: 1000 },
  "top-p alone": { temperature: 0.8, topP: 0.95 },
  "min-p alone": { temperature: 0.8, minP: 0.05 },
  "temperature alone": { temperature: 0.8 },
  "typical-p alone": { temperature: 0.8, typicalP: 0.9 },
};

/** Nearly normal logits, and a few that stand out as a model's do. */
const row = Float32Array.from({ length: VOCABULARY }, (_, id) => {
  const sum = Array.from({ length: 6 }, (_unused, i) => uniform(1, i, id)).reduce((a, b) => a + b);
  return 3 * (sum - 3) + (id % 9973 === 0 ? 12 * uniform(1, 6, id) : 0);
});
const history = Int32Array.from({ length: HISTORY }, (_, i) => Math.floor(uniform(2, 0, i) * VOCABULARY));
const sampler = new Sampler(VOCABULARY);

const peaks = Float32Array.from({ length: Math.ceil(VOCABULARY / LOGIT_BLOCK) }, (_, block) =>
  row.subarray(block * LOGIT_BLOCK, (block + 1) * LOGIT_BLOCK).reduce((a, b) => Math.max(a, b)),
);

function measure(name: string, settings: SamplingSettings, logprobs?: number, given?: Float32Array): void {
  const times = Array.from({ length: 2 * ROUNDS }, (_, seed) => {
    const started = performance.now();
    sampler.choose(row, history, { ...settings, seed }, logprobs, given);
    return performance.now() - started;
  }).slice(ROUNDS); // the first half warms up
  times.sort((a, b) => a - b);
  console.log(`${name.padEnd(28)} ${times[0].toFixed(3)}  ${times[ROUNDS / 2].toFixed(3)}`);
}

console.log(`${"V = 262,144".padEnd(28)} best   median (ms)`);
for (const [name, settings] of Object.entries(cases)) measure(name, { ...neutralSettings, ...settings });
measure("greedy, peaks given", neutralSettings, undefined, peaks);
measure("top-k 40, ..., peaks given", { ...neutralSettings, ...usual }, undefined, peaks);
measure("greedy, 20 log-probabilities", neutralSettings, 20);
