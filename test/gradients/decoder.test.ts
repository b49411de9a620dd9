// A whole tiny decoder (llama's shape), traced op by op: loss, logits and gradients of PyTorch in f64, in one batch and
// as the sum over micro-batches.
import { test } from "node:test";
import {
  type Tensor,
  add,
  crossEntropy,
  gather,
  gradients,
  graph,
  linear,
  multiply,
  rmsNorm,
  rope,
  rowAttention,
  scale,
  silu,
  sumAll,
} from "../../src/graph/index.ts";
import { type DataTensor, readData } from "../safetensors-data.ts";
import { sharedData } from "../shared-data.ts";
import { assertRounded } from "./golden.ts";
import { evaluate, floats, ints } from "./values.ts";

const EPSILON = 1e-5;
const HEAD_SIZE = 8;
const attributes = { heads: 4, kvHeads: 2, scale: 1 / Math.sqrt(HEAD_SIZE) };
const length = 16;
const start = "init.";

const { path, skip } = sharedData("training/traces");

interface Decoder {
  readonly logits: Tensor;
  readonly losses: Tensor;
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** The decoder over `rows` rows, sequences of `length` end to end. */
function decoder(tensors: Readonly<Record<string, DataTensor>>, rows: number): Decoder {
  const weights: Record<string, Tensor> = {};
  const weight = (name: string): Tensor => (weights[name] ??= floats(name, ...tensors[`${start}${name}.weight`].shape)); // one leaf a name
  const [cos, sin] = [floats("cos", rows, HEAD_SIZE / 2), floats("sin", rows, HEAD_SIZE / 2)];
  const turned = (x: Tensor): Tensor => rope(x, cos, sin, { headSize: HEAD_SIZE, layout: "halves" });
  const starts = ints("starts", rows);
  let x = gather(weight("embed"), ints("ids", rows)); // (N, C)
  for (const layer of ["layers.0", "layers.1"]) {
    const of = (name: string): Tensor => weight(`${layer}.${name}`);
    const n = rmsNorm(x, of("attn_norm"), EPSILON);
    const [q, k, v] = ["wq", "wk", "wv"].map((name) => linear(n, of(name)));
    x = add(x, linear(rowAttention({ q: turned(q), k: turned(k), v, starts }, attributes), of("wo")));
    const m = rmsNorm(x, of("mlp_norm"), EPSILON);
    x = add(x, linear(multiply(silu(linear(m, of("w_gate"))), linear(m, of("w_up"))), of("w_down")));
  }
  const logits = linear(rmsNorm(x, weight("norm"), EPSILON), weight("lm_head"));
  return { logits, losses: crossEntropy(logits, ints("targets", rows)), weights };
}

/** Leaves of a run over whole sequences. */
function leavesOf(
  tensors: Readonly<Record<string, DataTensor>>,
  { weights }: Decoder,
  ids: ArrayLike<number>,
  targets: ArrayLike<number>,
): Record<string, ArrayLike<number>> {
  const angles = Float64Array.from({ length: (ids.length * HEAD_SIZE) / 2 }, (_, at) => {
    const [row, i] = [Math.floor(at / (HEAD_SIZE / 2)), at % (HEAD_SIZE / 2)];
    return (row % length) * 10000 ** ((-2 * i) / HEAD_SIZE);
  });
  const starts = Array.from(ids, (_, row) => row - (row % length));
  const given = { ids, targets, starts, cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
  const names = Object.keys(weights);
  return { ...given, ...Object.fromEntries(names.map((name) => [name, tensors[`${start}${name}.weight`].f32])) };
}

test("a decoder's loss, logits and gradients are PyTorch's", { skip }, async () => {
  const tensors = await readData(`${path}/adamw.safetensors`);
  const rows = 4 * length;
  const model = decoder(tensors, rows);
  const loss = scale(sumAll(model.losses), 1 / rows);
  const names = Object.keys(model.weights);
  const found = gradients(loss, Object.values(model.weights));
  const outputs = Object.fromEntries(names.map((name, i) => [name, found[i]]));
  // tokens (steps, 4, length + 1): the first step's, less the last or the first of each sequence
  const tokens = Array.from({ length: 4 }, (_, b) => Array.from(tensors.tokens.i32.slice(b * 17, (b + 1) * 17)));
  const ids = tokens.flatMap((sequence) => sequence.slice(0, -1));
  const targets = tokens.flatMap((sequence) => sequence.slice(1));
  const leaves = leavesOf(tensors, model, ids, targets);
  const { loss: value, logits, ...all } = await evaluate(graph({ ...outputs, loss, logits: model.logits }), leaves);
  assertRounded(value, tensors.loss.f32.subarray(0, 1), "loss");
  assertRounded(logits, tensors.logits1.f32, "logits");
  for (const name of names) assertRounded(all[name], tensors[`grad1.${name}.weight`].f32, name);
});

test("sums over micro-batches, divided once, are the large batch's loss and gradients", { skip }, async () => {
  const tensors = await readData(`${path}/adamw.safetensors`);
  const expected = await readData(`${path}/grad_accumulation.safetensors`);
  const rows = 2 * length;
  const model = decoder(tensors, rows);
  const loss = sumAll(model.losses);
  const names = Object.keys(model.weights);
  const found = gradients(loss, Object.values(model.weights));
  const program = graph({ ...Object.fromEntries(names.map((name, i) => [name, found[i]])), loss });
  const total = expected.micro_count.i32.reduce((sum, count) => sum + count, 0);
  const sums: Record<string, Float64Array> = {};
  for (let micro = 0; micro < 4; micro++) {
    const range = [micro * rows, (micro + 1) * rows] as const;
    const [ids, targets] = [expected.tokens.i32.slice(...range), expected.labels.i32.slice(...range)];
    const values = await evaluate(program, leavesOf(tensors, model, ids, targets));
    for (const [name, list] of Object.entries(values)) {
      sums[name] = list.map((value, i) => value / total + (sums[name]?.[i] ?? 0));
    }
  }
  assertRounded(sums.loss, expected.loss.f32, "loss");
  for (const name of names) assertRounded(sums[name], expected[`grad.${name}.weight`].f32, name);
});
