// Whole models of experts: along any direction the loss changes as the gradients of their golden weights say, through the
// shares of the chosen experts, while the choices stay as they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changing, crossEntropy, gradients, graph, input, sumAll } from "../../src/graph/index.ts";
import { fillRopes, traceRows, weightState } from "../../src/models/index.ts";
import { readWeights } from "../../src/train/saved-tensors.ts";
import { openCase } from "../families/cases.ts";
import { evaluate, randomNumbers } from "./values.ts";

const ROWS = 6;
const STEP = 1e-6;

for (const name of ["mixtral", "qwen2_moe", "gpt_oss", "deepseek_v2", "deepseek_v3"] as const) {
  test(`the gradient of every weight of ${name} is what differences say`, async () => {
    await using opened = await openCase(name);
    const { model, store } = opened;
    const { head, trained } = traceRows(model, { rows: ROWS, outputRows: ROWS, trains: () => true });
    const loss = sumAll(crossEntropy(head("logits"), input("targets", [{ name: "outputRows", bound: ROWS }], "i32")));
    const changed = new Set(changing(loss, [...trained.values()]));
    const weights = [...trained].filter(([, weight]) => changed.has(weight));
    // a bias that only chooses is no part of the loss
    const still = [...trained.keys()].filter((weight) => !changed.has(trained.get(weight)!));
    assert.ok(still.every((weight) => weight.endsWith("selectionBias")));

    const states: Record<string, Float32Array> = {};
    for (const [parameter, { rows, columns }] of model.parameters) {
      states[weightState(parameter)] = new Float32Array(rows * columns);
    }
    await readWeights(store, states);
    const positions = Int32Array.from({ length: ROWS }, (_, row) => row);
    const ropes = Object.fromEntries(
      model.ropes.flatMap(({ name, frequencies }) =>
        ["cos", "sin"].map((part) => [`rope.${name}.${part}`, new Float32Array(ROWS * frequencies.length)]),
      ),
    );
    fillRopes(model, ropes, positions, 0);
    const ids = positions.map((row) => (row * 37 + 5) % model.vocabularySize);
    const targets = positions.map((row) => (row * 53 + 11) % model.vocabularySize);
    const given = { ...ropes, ids, targets, positions, outputRows: positions, starts: new Int32Array(ROWS) };
    const leaves: Record<string, ArrayLike<number>> = { ...given, ...states };
    const extents = { rows: ROWS, outputRows: ROWS };

    const found = gradients(
      loss,
      weights.map(([, weight]) => weight),
    );
    const backward = graph(Object.fromEntries(weights.map(([weight], i) => [weight, found[i]])));
    const slopes = await evaluate(backward, leaves, extents);
    const forward = graph({ loss });
    for (const [stream, [weight]] of weights.entries()) {
      const values = states[weightState(weight)];
      const direction = randomNumbers(stream, values.length);
      const lossAt = async (far: number): Promise<number> => {
        const moved = Float64Array.from(values, (value, i) => value + far * direction[i]);
        return (await evaluate<"loss">(forward, { ...leaves, [weightState(weight)]: moved }, extents)).loss[0];
      };
      const expected = ((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP);
      const slope = slopes[weight].reduce((sum, value, i) => sum + value * direction[i], 0);
      const difference = Math.abs(slope - expected) / Math.max(1, Math.abs(expected));
      assert.ok(difference < 1e-6, `${weight}: ${slope}, differences say ${expected}`);
    }
  });
}
