// Values computed again for the backward pass: the same gradients to the bit, from less memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import {
  type Graph,
  type Tensor,
  add,
  gradients,
  graph,
  leafName,
  linear,
  multiply,
  rmsNorm,
  silu,
  sumAll,
} from "../../src/graph/index.ts";
import { elementsOf, evaluate, floats, randomNumbers } from "./values.ts";

const rows = { name: "rows", bound: 64 };
const WIDTH = 8;
const LAYERS = 6;

const gain = floats("gain", WIDTH);
const weights = Array.from({ length: LAYERS }, (_, i) => [
  floats(`gate${i}`, 3 * WIDTH, WIDTH),
  floats(`up${i}`, 3 * WIDTH, WIDTH),
  floats(`down${i}`, WIDTH, 3 * WIDTH),
]);

/** Each layer's result, first what goes in. */
const kept: Tensor[] = [floats("x", rows, WIDTH)];
for (const [gate, up, down] of weights) {
  const x = kept[kept.length - 1];
  const normed = rmsNorm(x, gain, 1e-6);
  kept.push(add(x, linear(multiply(silu(linear(normed, gate)), linear(normed, up)), down)));
}
const loss = sumAll(multiply(kept[LAYERS], kept[LAYERS]));

function backward(recompute: (node: Tensor) => boolean): Graph {
  const by = [gain, ...weights.flat()];
  const found = gradients(loss, by, { recompute }).map((tensor, i) => [leafName(by[i]), tensor]);
  return graph({ loss, ...(Object.fromEntries(found) as Record<string, Tensor>) });
}

const whole = backward(() => false);
const again = backward((node) => !kept.includes(node));

test("gradients of layers that are computed again are the same to the bit", async () => {
  const extents = { rows: 5 };
  const leaves = [...whole.inputs.values()].map((leaf, i) => {
    return [leafName(leaf), randomNumbers(i, elementsOf(leaf.shape, extents))] as const;
  });
  const values = Object.fromEntries(leaves);
  assert.deepEqual(await evaluate(again, values, extents), await evaluate(whole, values, extents));
});

test("layers that are computed again take less than half the memory", async () => {
  const store = { parameters: new Map() };
  const [all, few] = await Promise.all(
    [whole, again].map(async (program) => (await referenceExecutor.plan(store, { program })).arenaBytes),
  );
  // a layer keeps about six matrices of 3 WIDTH columns; without them its result remains
  const layerBytes = 64 * 3 * WIDTH * 8;
  assert.ok(all > LAYERS * 4 * layerBytes, `${all} bytes with all values kept`);
  assert.ok(few < 0.5 * all, `${few} bytes of ${all}`);
});
