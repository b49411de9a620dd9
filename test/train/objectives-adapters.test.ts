// LoRA, rsLoRA and DoRA: results and gradients by PyTorch in f64; and on a tiny model whose weights are frozen, quantized
// ones too: nothing changes at first, A and B are learnt, and folded in they are the same model.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ParameterStore } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type Tensor, add, matmul, multiply, scale, sumRows, transpose } from "../../src/graph/index.ts";
import { newModel, weightState } from "../../src/models/index.ts";
import { type LoraSettings, lora, loraScale, loraWeights } from "../../src/nn/index.ts";
import { type FormatName, formats } from "../../src/numeric/registry.ts";
import { initialiseAdapter, withSquares } from "../../src/train/initial-adapter.ts";
import { mergedWeight } from "../../src/train/merged-adapter.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { gradientState } from "../../src/train/programs.ts";
import { currentValues } from "../../src/train/saved-tensors.ts";
import { Scorer, logProbabilities } from "../../src/train/scorer.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { type TestParameter, memoryStore, randomFloats } from "../cpu/stores.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { type GoldenCase, goldenGradients } from "../gradients/golden.ts";
import { readData } from "../safetensors-data.ts";

const all: LoraSettings = { rank: 4, alpha: 8, adapts: () => true };
const forms: Readonly<Record<string, LoraSettings>> = {
  LoRA: all,
  rsLoRA: { ...all, rankStabilised: true },
  DoRA: { ...all, magnitude: true },
};

const names = loraWeights("p");
const golden = (settings: LoraSettings, more: (leaves: Readonly<Record<string, Tensor>>) => object = () => ({})) =>
  ({
    build(leaves) {
      const byName = new Map([
        [names.a, leaves.A],
        [names.b, leaves.B],
        [names.magnitude, leaves.m],
        [names.squares, sumRows(transpose(multiply(leaves.weight, leaves.weight)))],
      ]);
      const projection = lora(settings, (name) => byName.get(name)!);
      return { y: projection(leaves.x, { name: "p", weight: leaves.weight, bias: undefined }), ...more(leaves) };
    },
  }) satisfies GoldenCase;

goldenGradients("finetune", {
  lora_linear: golden(forms.LoRA, ({ weight, A, B }) => ({ merged: add(weight, scale(matmul(B, A), loraScale(all))) })),
  lora_forward_only: golden(forms.LoRA),
  rslora: golden(forms.rsLoRA),
  dora: golden(forms.DoRA),
});

test("an adapter folded in is the reference's merged weight", async () => {
  const path = join(import.meta.dirname, "../golden/training/finetune/lora_linear.safetensors");
  const tensors = await readData(path);
  const [weight, a, b] = ["weight", "A", "B"].map((name) => tensors[`in.${name}`].f32);
  assert.deepEqual(mergedWeight({ weight, a, b }, all), tensors["out.merged"].f32);
});

const tiny = tinyExecutor();
const V = 24;
const model = newModel({
  model_type: "llama",
  vocab_size: V,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 16,
  tie_word_embeddings: true,
});
const isProjection = (name: string): boolean => /^layers\..*(attention|mlp)\.\w+\.weight$/.test(name);

/** The model's weights, its projections in a format. */
function baseStore(format: FormatName): ParameterStore {
  const stored = [...model.parameters].map(([name, { rows, columns, vector }], seed): [string, TestParameter] => {
    const as = isProjection(name) ? format : "f32";
    const values = vector ? new Float32Array(columns).fill(1) : randomFloats(seed, rows * columns, 0.1);
    return [name, { rows, columns, format: as, bytes: formats[as].encode!(values) }];
  });
  return memoryStore(Object.fromEntries(stored));
}

/** The same numbers as f32, those of `changed` instead where it has them. */
async function decodedStore(store: ParameterStore, changed: Readonly<Record<string, Float32Array>> = {}) {
  const stored: Record<string, TestParameter> = {};
  for (const [name, { rows, columns }] of store.parameters) {
    const values = changed[name] ?? (await currentValues({}, store, name));
    stored[name] = { rows, columns, format: "f32", bytes: formats.f32.encode!(Float32Array.from(values)) };
  }
  return memoryStore(stored);
}

const projections = [...model.parameters.keys()].filter(isProjection).map((name) => name.slice(0, -".weight".length));

async function open(base: ParameterStore, adapter: LoraSettings, executor = referenceExecutor): Promise<Trainer> {
  const optimizer = adamW();
  const store = withSquares(base, projections);
  const trainer = await Trainer.open(model, store, executor, {
    precision: "f32",
    rows: 16,
    targets: 16,
    adapter,
    optimizerOf: (name) => (/\.lora(A|B|Magnitude)$/.test(name) ? optimizer : undefined),
  });
  await initialiseAdapter(store, trainer.states, 5);
  return trainer;
}

const ids = Int32Array.from({ length: 16 }, (_, i) => (7 * i + (i % 3)) % V);
const batch: MicroBatch = {
  ids,
  positions: Int32Array.from(ids.keys()),
  starts: new Int32Array(16),
  outputRows: Int32Array.from(ids.keys()),
  targets: ids.map((id) => (id + 1) % V),
  weights: new Float32Array(16).fill(1),
};

async function lossesOf(store: ParameterStore): Promise<Float32Array> {
  await using scorer = await Scorer.open(model, store, referenceExecutor, logProbabilities, { rows: 16, targets: 16 });
  const { logProbabilities: found } = await scorer.ask(batch);
  return found.map((value) => -value);
}

function assertClose(found: Float32Array, expected: Float32Array, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what);
  const most = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  assert.ok(most <= tolerance, `${what} differs by ${most}`);
}

/** Gradients of an adapter that has changed something: at first B is 0, and nothing flows to A. */
async function accumulateChanged(trainer: Trainer): Promise<void> {
  for (const name of trainer.trained.keys()) {
    if (!name.endsWith("loraB")) continue;
    const b = trainer.states[weightState(name)];
    b.set(randomFloats(3, b.length, 0.1));
  }
  await trainer.accumulate([batch]);
}

const FORMATS: Readonly<Record<string, readonly FormatName[]>> = {
  LoRA: ["f32", "q4_0"],
  rsLoRA: ["q8_0"],
  DoRA: ["q8_0"],
};
for (const [form, settings] of Object.entries(forms)) {
  for (const format of FORMATS[form]) {
    describe(`${form} over weights in ${format}`, () => {
      test("changes nothing at first; only the adapter has states; gradients are those over decoded weights", async () => {
        const store = baseStore(format);
        await using trainer = await open(store, settings);
        assertClose(await trainer.losses(batch), await lossesOf(store), 1e-5, "first losses");
        assert.ok([...trainer.trained.keys()].every((name) => /\.lora(A|B|Magnitude)$/.test(name)));
        assert.equal(trainer.trained.size, 2 * 7 * (settings.magnitude === true ? 3 : 2));

        await using other = await open(await decodedStore(store), settings);
        for (const each of [trainer, other]) await accumulateChanged(each);
        for (const name of trainer.trained.keys()) {
          const [found, expected] = [trainer, other].map(({ states }) => states[gradientState(name)]);
          assert.ok(
            found.some((value) => value !== 0),
            `${name} has a gradient`,
          );
          assert.deepEqual(found, expected, name);
        }
      });

      test("has the reference's gradients on the cpu executor", async () => {
        const store = baseStore(format);
        await using trainer = await open(store, settings, tiny);
        await using other = await open(store, settings);
        for (const each of [trainer, other]) await accumulateChanged(each);
        for (const name of trainer.trained.keys()) {
          const [found, expected] = [trainer, other].map(({ states }) => states[gradientState(name)]);
          const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          assertClose(found, expected, 2e-5 * Math.max(1, largest), name);
        }
      });

      test("learns, and folded in is the same model", async () => {
        const store = baseStore(format);
        await using trainer = await open(store, settings);
        let { loss } = await trainer.accumulate([batch]);
        const first = loss;
        await trainer.apply(0.02);
        for (let step = 0; step < 10; step++) {
          ({ loss } = await trainer.accumulate([batch]));
          await trainer.apply(0.02);
        }
        assert.ok(loss < 0.7 * first, `${loss} after ${first}`);
        const merged: Record<string, Float32Array> = {};
        for (const name of store.parameters.keys()) {
          if (!isProjection(name)) continue;
          const its = loraWeights(name.slice(0, -".weight".length));
          const [a, b, magnitude] = [its.a, its.b, its.magnitude].map((it) => trainer.states[weightState(it)]);
          merged[name] = mergedWeight({ weight: await currentValues({}, store, name), a, b, magnitude }, settings);
        }
        const folded = await lossesOf(await decodedStore(store, merged));
        assertClose(await trainer.losses(batch), folded, 1e-5, "losses");
      });
    });
  }
}

test("projections that have no adapter stay as they are", async () => {
  const adapts = (name: string): boolean => name.endsWith("attention.query");
  await using trainer = await open(baseStore("q8_0"), { ...all, adapts });
  const found = [...trainer.trained].map(([name, shape]) => `${name} ${String(shape)}`);
  assert.deepEqual(found.toSorted(), [
    "layers.0.attention.query.loraA 4,32",
    "layers.0.attention.query.loraB 32,4",
    "layers.1.attention.query.loraA 4,32",
    "layers.1.attention.query.loraB 32,4",
  ]);
});
