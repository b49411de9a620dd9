// The sampler against distributions of transformers' processors (float64, rounded once) and draws by inverse transform.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { Sampler, type SamplingSettings, neutralSettings } from "../../src/engine/index.ts";
import { Candidates } from "../../src/engine/sampling/candidates.ts";
import { RowScan } from "../../src/engine/sampling/row-scan.ts";
import { type DataTensor, readData } from "../safetensors-data.ts";

const folder = resolve(import.meta.dirname, "../golden/engine");
const golden = await readData(join(folder, "sampling.safetensors"));
const draws = await readData(join(folder, "draws.safetensors"));
/** As the file's metadata has them. */
const attributes = {
  temperature: 0.7,
  k: 10,
  p: 0.9,
  minP: 0.1,
  typical: 0.8,
  rep: 1.3,
  presence: 0.5,
  frequency: 0.3,
};

const columnsOf = ({ shape }: DataTensor): number => shape[shape.length - 1];
/** Row `i` of a tensor's numbers. */
const rowOf = <T extends Float32Array | Int32Array>(values: T, columns: number, i: number): T =>
  values.subarray(i * columns, (i + 1) * columns) as T;

/** Setting by golden tensor; each processor alone, on scores of temperature 1. */
const cases: Record<string, Partial<SamplingSettings>> = {
  softmax: {},
  temperature: { temperature: attributes.temperature },
  top_k: { topK: attributes.k },
  top_p: { topP: attributes.p },
  min_p: { minP: attributes.minP },
  typical_p: { typicalP: attributes.typical },
  repetition_penalty: { repetitionPenalty: attributes.rep },
  presence_frequency: { presencePenalty: attributes.presence, frequencyPenalty: attributes.frequency },
  chain: {
    repetitionPenalty: attributes.rep,
    temperature: attributes.temperature,
    topK: attributes.k,
    topP: attributes.p,
    minP: attributes.minP,
    typicalP: attributes.typical,
  },
};

function assertDistribution(found: Float64Array, expected: Float32Array): void {
  for (const [id, probability] of expected.entries()) {
    assert.equal(found[id] === 0, probability === 0, `support at id ${id}`);
    assert.ok(Math.abs(found[id] - probability) <= 1e-6, `id ${id}: ${found[id]}, expected ${probability}`);
  }
}

for (const [name, settings] of Object.entries(cases)) {
  test(`${name} equals transformers' distribution`, () => {
    const { logits, ids, [name]: expected } = golden;
    const columns = columnsOf(logits);
    const sampler = new Sampler(columns);
    for (let i = 0; i < logits.shape[0]; i++) {
      const all = { ...neutralSettings, temperature: 1, ...settings };
      const history = rowOf(ids.i32, columnsOf(ids), i);
      const found = sampler.distribution(rowOf(logits.f32, columns, i), history, all);
      assertDistribution(found, rowOf(expected.f32, columns, i));
    }
  });
}

test("top-k keeps every id that ties with the k-th", () => {
  const { tie_logits: logits, tie_top_k3: expected } = golden;
  const columns = columnsOf(logits);
  const sampler = new Sampler(columns);
  for (let i = 0; i < logits.shape[0]; i++) {
    const settings = { ...neutralSettings, temperature: 1, topK: 3 };
    const found = sampler.distribution(rowOf(logits.f32, columns, i), new Int32Array(0), settings);
    assertDistribution(found, rowOf(expected.f32, columns, i));
  }
});

test("draws are the inverse transform of u, greedy is the first largest", () => {
  const { prob, u, index, greedy } = draws;
  const columns = columnsOf(prob);
  const scan = new RowScan(columns);
  const candidates = new Candidates(columns);
  for (let i = 0; i < prob.shape[0]; i++) {
    scan.read(rowOf(prob.f32, columns, i).map(Math.log));
    candidates.narrow(scan, { ...neutralSettings, temperature: 1 });
    const drawn = Array.from(rowOf(u.f32, columnsOf(u), i), (number) => candidates.draw(number));
    assert.deepEqual(drawn, Array.from(rowOf(index.i32, columnsOf(index), i)));
    assert.equal(scan.best(), greedy.i32[i]);
  }
});
