// The sampler against distributions of transformers' processors (float64, rounded once) and draws by inverse transform.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Candidates, RowScan, Sampler, type SamplingSettings, neutralSettings } from "../../src/engine/index.ts";
import { readGolden } from "./golden.ts";

const { tensors, metadata } = readGolden(new URL("../golden/engine/sampling.safetensors", import.meta.url));
const attributes = JSON.parse(metadata.attrs) as Record<string, number>;

/** Setting by golden tensor; each processor alone, on scores of temperature 1. */
const cases: Record<string, Partial<SamplingSettings>> = {
  softmax: {},
  temperature: { temperature: attributes.temperature },
  top_k: { topK: attributes.k },
  top_p: { topP: attributes.p },
  min_p: { minP: attributes.min_p },
  typical_p: { typicalP: attributes.typical },
  repetition_penalty: { repetitionPenalty: attributes.rep },
  presence_frequency: { presencePenalty: attributes.presence, frequencyPenalty: attributes.frequency },
  chain: {
    repetitionPenalty: attributes.rep,
    temperature: attributes.temperature,
    topK: attributes.k,
    topP: attributes.p,
    minP: attributes.min_p,
    typicalP: attributes.typical,
  },
};

function assertDistribution(found: Float64Array, expected: readonly number[]): void {
  for (const [id, probability] of expected.entries()) {
    assert.equal(found[id] === 0, probability === 0, `support at id ${id}`);
    assert.ok(Math.abs(found[id] - probability) <= 1e-6, `id ${id}: ${found[id]}, expected ${probability}`);
  }
}

for (const [name, settings] of Object.entries(cases)) {
  test(`${name} equals transformers' distribution`, () => {
    const { logits, ids, [name]: expected } = tensors;
    const sampler = new Sampler(logits.shape[1]);
    for (const [i, row] of logits.rows.entries()) {
      const all = { ...neutralSettings, temperature: 1, ...settings };
      const found = sampler.distribution(Float32Array.from(row), Int32Array.from(ids.rows[i]), all);
      assertDistribution(found, expected.rows[i]);
    }
  });
}

test("top-k keeps every id that ties with the k-th", () => {
  const { tie_logits: logits, tie_top_k3: expected } = tensors;
  const sampler = new Sampler(logits.shape[1]);
  for (const [i, row] of logits.rows.entries()) {
    const settings = { ...neutralSettings, temperature: 1, topK: 3 };
    assertDistribution(sampler.distribution(Float32Array.from(row), new Int32Array(0), settings), expected.rows[i]);
  }
});

test("draws are the inverse transform of u, greedy is the first largest", () => {
  const { prob, u, index, greedy } = readGolden(new URL("../golden/engine/draws.safetensors", import.meta.url)).tensors;
  const vocabularySize = prob.shape[1];
  const scan = new RowScan(vocabularySize);
  const candidates = new Candidates(vocabularySize);
  for (const [i, row] of prob.rows.entries()) {
    scan.read(Float32Array.from(row, Math.log));
    candidates.narrow(scan, { ...neutralSettings, temperature: 1 });
    assert.deepEqual(
      u.rows[i].map((number) => candidates.draw(number)),
      index.rows[i],
    );
    assert.equal(scan.best(), greedy.rows[0][i]);
  }
});
