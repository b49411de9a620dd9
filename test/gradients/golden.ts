// Holds traced ops, forward and backward, to reference files: `in.NAME` leaves, `out.NAME` results, `gout.NAME` what flows
// back into each result, `gin.NAME` the gradient of the sum of results times that by each float leaf.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { Tensor, add, gradients, graph, multiply, sumAll } from "../../src/graph/index.ts";
import { type DataTensor, readData } from "../safetensors-data.ts";
import { evaluate, floats, ints } from "./values.ts";

const folder = resolve(import.meta.dirname, "../golden/training");

// The files hold f64 results rounded once to f32: half a unit in the last place, and f64's own rounding.
const RELATIVE = 2 ** -24;
const OF_LARGEST = 1e-12;

export interface GoldenCase {
  /** Names whose layout [B, H, T, D] becomes rows (B*T, H*D); others keep their last axis as columns. */
  readonly heads?: readonly string[];
  /** Names that become f32 columns (N, 1). */
  readonly columns?: readonly string[];
  /** The results by name, from the leaves by name; or the one that is called y. */
  readonly build: (
    leaves: Readonly<Record<string, Tensor>>,
    data: GoldenData,
  ) => Tensor | Readonly<Record<string, Tensor>>;
}

/** What a case is built from besides its leaves. */
export interface GoldenData {
  readonly tensors: Readonly<Record<string, DataTensor>>;
  /** Leaves of other numbers, such as angles and rows' starts. */
  floats(name: string, shape: readonly number[], values: ArrayLike<number>): Tensor;
  ints(name: string, values: ArrayLike<number>): Tensor;
}

/** [B, H, T, D] -> (B*T, H*D). */
function rowsOfHeads({ shape: [batch, heads, length, size], f32 }: DataTensor): Float32Array {
  const out = new Float32Array(f32.length);
  for (const [i, value] of f32.entries()) {
    const [d, t, h] = [i % size, Math.floor(i / size) % length, Math.floor(i / size / length) % heads];
    const b = Math.floor(i / size / length / heads);
    out[((b * length + t) * heads + h) * size + d] = value;
  }
  assert.equal(batch * heads * length * size, f32.length);
  return out;
}

async function check(path: string, { heads = [], columns = [], build }: GoldenCase): Promise<void> {
  const tensors = await readData(path);
  const values: Record<string, ArrayLike<number>> = {};
  const leaves: Record<string, Tensor> = {};
  const nameOf = (key: string): string => key.slice(key.indexOf(".") + 1);
  const numbers = (key: string): Float32Array =>
    heads.includes(nameOf(key)) ? rowsOfHeads(tensors[key]) : tensors[key].f32;
  for (const key of Object.keys(tensors).filter((it) => it.startsWith("in."))) {
    const [name, { shape, f32, i32 }] = [nameOf(key), tensors[key]];
    const whole = tensors[key].dtype === "I32";
    values[name] = whole ? i32 : numbers(key);
    if (columns.includes(name)) leaves[name] = floats(name, f32.length, 1);
    else if (whole) leaves[name] = ints(name, f32.length);
    else if (shape.length === 1) leaves[name] = floats(name, ...shape);
    else {
      const width = heads.includes(name) ? shape[1] * shape[3] : shape[shape.length - 1];
      leaves[name] = floats(name, f32.length / width, width);
    }
  }
  const built = build(leaves, {
    tensors,
    floats(name, shape, list) {
      values[name] = list;
      return floats(name, ...shape);
    },
    ints(name, list) {
      values[name] = list;
      return ints(name, list.length);
    },
  });
  const results: Readonly<Record<string, Tensor>> = built instanceof Tensor ? { y: built } : built;

  const flowing = Object.entries(results).filter(([name]) => `gout.${name}` in tensors);
  const losses = flowing.map(([name, result]) => {
    values[`gout.${name}`] = numbers(`gout.${name}`);
    return sumAll(multiply(result, floats(`gout.${name}`, ...result.shape)));
  });
  const expected = Object.keys(tensors).filter((key) => key.startsWith("gin."));
  const by = expected.map((key) => leaves[nameOf(key)]);
  const found = gradients(losses.reduce(add), by);
  const outputs: Record<string, Tensor> = Object.fromEntries(expected.map((key, i) => [key, found[i]]));
  for (const [name, result] of Object.entries(results)) outputs[`out.${name}`] = result;
  const evaluated = await evaluate(graph(outputs), values);
  for (const [key, list] of Object.entries(evaluated)) assertRounded(list, numbers(key), key);
  const left = Object.keys(tensors).filter((key) => key.startsWith("out.") && !(key in evaluated));
  assert.deepEqual(left, [], "results that the case does not build");
}

/** `found` rounds to `expected`. */
export function assertRounded(found: Float64Array, expected: Float32Array, what: string): void {
  assert.equal(found.length, expected.length, what);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [i, value] of expected.entries()) {
    const allowed = RELATIVE * Math.abs(value) + OF_LARGEST * largest;
    assert.ok(Math.abs(found[i] - value) <= allowed, `${what}[${i}] is ${found[i]}, expected ${value}`);
  }
}

/** One test for each file of a folder. */
export function goldenGradients(name: string, cases: Readonly<Record<string, GoldenCase>>): void {
  describe(`${name}: results and gradients of the reference files`, () => {
    for (const [file, it] of Object.entries(cases)) {
      test(file, () => check(join(folder, name, `${file}.safetensors`), it));
    }
  });
}
