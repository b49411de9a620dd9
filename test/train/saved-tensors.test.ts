// Every family's weights, read and saved again: the tensors that transformers wrote, and after reading them once more
// the same bits.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ParameterStore } from "../../src/device/executor.ts";
import { type Model, weightState } from "../../src/models/index.ts";
import { formats } from "../../src/numeric/registry.ts";
import { liveStore, readWeights, savedTensors } from "../../src/train/saved-tensors.ts";
import { caseFiles, caseNames } from "../families/cases.ts";
import { ggufTwin, type HfConfig } from "../families/gguf-twin.ts";
import { type Values, allTensors, ggufFiles, hfFiles, openFiles } from "../families/memory-files.ts";

type States = Record<string, Float32Array>;

async function weightsOf(model: Model, store: ParameterStore): Promise<States> {
  const states: States = {};
  for (const [name, { rows, columns }] of model.parameters)
    states[weightState(name)] = new Float32Array(rows * columns);
  await readWeights(store, states);
  return states;
}

async function saved(model: Model, states: States, type: "f32" | "bf16"): Promise<Map<string, Values>> {
  const tensors = savedTensors(model, (name) => Promise.resolve(states[weightState(name)]), type);
  const entries: [string, Values][] = [];
  for (const { name, shape, data } of tensors) {
    const bytes: Uint8Array[] = [];
    for await (const piece of data()) bytes.push(piece);
    const count = shape.reduce((product, size) => product * size, 1);
    entries.push([name, { shape, values: formats[type].decode(new Uint8Array(Buffer.concat(bytes)), count) }]);
  }
  return new Map(entries);
}

/** What a file's tensor is taken as: rows of length 1 where a family divides them so. */
function meant(model: Model, tensor: string, { shape, values }: Values): readonly number[] {
  const all = Array.from(values);
  if (!model.weightRows.some(({ hf, hfUnitRows }) => hf === tensor && hfUnitRows === true)) return all;
  const columns = shape[1];
  return all.map((value, i) => {
    const row = all.slice(i - (i % columns), i - (i % columns) + columns);
    return value / Math.hypot(...row);
  });
}

describe("weights that are saved", () => {
  for (const name of caseNames) {
    test(`are the tensors of ${name} as transformers has them, and read back to the bit`, async () => {
      await using files = await caseFiles(name);
      const { model, store } = await openFiles(files);
      const states = await weightsOf(model, store);
      const tensors = await saved(model, states, "f32");
      const originals = await allTensors(files);
      for (const ignored of model.ignored.keys()) originals.delete(ignored);
      assert.deepEqual([...tensors.keys()].sort(), [...originals.keys()].sort());
      for (const [tensor, original] of originals) {
        assert.deepEqual(tensors.get(tensor)!.shape, original.shape);
        // what a gain of 1 + w rounds away of w
        const values = meant(model, tensor, original);
        const rounded = values.some((value, i) => Math.abs(tensors.get(tensor)!.values[i] - value) > 2 ** -24);
        assert.ok(!rounded, tensor);
      }
      const again = await openFiles(hfFiles(files.config, tensors));
      assert.deepEqual(await weightsOf(again.model, again.store), states);
    });
  }

  test("come out of GGUF files in the order of rows and with the gains of a folder", async () => {
    for (const name of ["llama", "gemma3_text", "gpt2"] as const) {
      await using files = await caseFiles(name, "config.legacy.json");
      const { entries, tensors } = ggufTwin(name, files.config as HfConfig, await allTensors(files));
      const { model, store } = await openFiles(await ggufFiles(entries, tensors));
      const states = await weightsOf(model, store);
      const again = await openFiles(hfFiles(files.config, await saved(model, states, "f32")));
      assert.deepEqual(await weightsOf(again.model, again.store), states);
    }
  });

  test("as bf16 are each value's nearest one", async () => {
    await using files = await caseFiles("qwen3");
    const { model, store } = await openFiles(files);
    const states = await weightsOf(model, store);
    const tensors = await saved(model, states, "bf16");
    const { values } = tensors.get("model.embed_tokens.weight")!;
    const exact = states[weightState("embedding.weight")];
    assert.ok(values.some((value, i) => value !== exact[i]));
    assert.ok(values.every((value, i) => Math.abs(value - exact[i]) <= Math.abs(exact[i]) * 2 ** -8));
  });

  test("are what the states are when an engine reads them", async () => {
    await using files = await caseFiles("llama");
    const { model, store } = await openFiles(files);
    const states = await weightsOf(model, store);
    const frozen = weightState("layers.0.mlp.up.weight");
    const { [frozen]: kept, ...trained } = states;
    const live = liveStore(model, trained, store);
    trained[weightState("norm.weight")].fill(3);
    const found = await weightsOf(model, live);
    assert.ok(found[weightState("norm.weight")].every((value) => value === 3));
    assert.deepEqual(found[frozen], kept);
    const { rows, columns } = live.parameters.get("embedding.weight")!;
    const last = new Float32Array(columns);
    await live.readRows("embedding.weight", rows - 1, new Uint8Array(last.buffer));
    assert.deepEqual(last, states[weightState("embedding.weight")].slice((rows - 1) * columns));
  });
});
