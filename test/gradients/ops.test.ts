// Ops and what is composed of them against results and gradients by PyTorch in f64.
import {
  type Tensor,
  add,
  crossEntropy,
  divide,
  exp,
  gather,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  matmul,
  maximum,
  minimum,
  multiply,
  relu,
  rmsNorm,
  rope,
  rowAttention,
  scale,
  scatterAddRows,
  sigmoid,
  silu,
  softmax,
  sqrt,
  subtract,
  sumAll,
  sumColumns,
  tanh,
} from "../../src/graph/index.ts";
import { type GoldenCase, type GoldenData, goldenGradients } from "./golden.ts";

const ofX = (f: (x: Tensor) => Tensor): GoldenCase => ({ build: ({ x }) => f(x) });
const rowsOf = ({ shape: [rows] }: Tensor): number => rows as number;
const columnsOf = ({ shape: [, columns] }: Tensor): number => columns as number;
const mean = (x: Tensor): Tensor => scale(sumAll(x), 1 / (rowsOf(x) * (columnsOf(x) ?? 1)));
const meanOfColumns = (x: Tensor): Tensor => scale(sumColumns(x), 1 / columnsOf(x));
const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i);
const square = (x: Tensor): Tensor => multiply(x, x);
const unit = (x: Tensor): Tensor => divide(x, maximum(sqrt(sumColumns(square(x))), 1e-12));
const softplus = (x: Tensor): Tensor => scale(logSigmoid(scale(x, -1)), -1);

/** Cosines and sines of rows of x (..., T, D): row n stands at position n mod T. */
function turned(x: Tensor, data: GoldenData, layout: "halves" | "interleaved", rotary = 16): Tensor {
  const positions = data.tensors["in.pos"].i32;
  const half = rotary / 2;
  const angles = Float64Array.from({ length: rowsOf(x) * half }, (_, at) => {
    const [n, i] = [Math.floor(at / half), at % half];
    return positions[n % positions.length] * 10000 ** ((-2 * i) / rotary);
  });
  const cos = data.floats("cos", [rowsOf(x), half], angles.map(Math.cos));
  const sin = data.floats("sin", [rowsOf(x), half], angles.map(Math.sin));
  return rope(x, cos, sin, { headSize: 16, layout });
}

/** Two documents of nine rows. */
const attention = (attributes: { window?: number; softCap?: number; scale?: number }, full = false): GoldenCase => ({
  heads: ["q", "k", "v", "y"],
  build({ q, k, v }, data) {
    const starts = Array.from({ length: 18 }, (_, n) => Math.floor(n / 9) * 9);
    const inputs = { q, k, v, starts: data.ints("starts", starts) };
    const both = full
      ? {
          ends: data.ints(
            "ends",
            starts.map((start) => start + 9),
          ),
        }
      : {};
    return rowAttention({ ...inputs, ...both }, { heads: 4, kvHeads: 2, scale: 1 / Math.sqrt(8), ...attributes });
  },
});

const gated = (activation: (x: Tensor) => Tensor): GoldenCase => ({
  build: ({ x, w_gate, w_up, w_down }) => linear(multiply(activation(linear(x, w_gate)), linear(x, w_up)), w_down),
});

/** Mean over the rows that have a target. */
const meanCrossEntropy = (attributes: { labelSmoothing?: number } = {}): GoldenCase => ({
  build({ x, target }, { tensors }) {
    const kept = tensors["in.target"].i32.filter((id) => id >= 0).length;
    return scale(sumAll(crossEntropy(x, target, attributes)), 1 / kept);
  },
});

/** Mean over rows of KL(p || q). */
function divergence(p: Tensor, logP: Tensor, logQ: Tensor): Tensor {
  return scale(sumAll(multiply(p, subtract(logP, logQ))), 1 / rowsOf(p));
}

/** Numbers of single columns as numbers of all: those of row i start at i * width. */
function inRows({ tensors }: GoldenData, width: number): number[] {
  const { shape, i32 } = tensors["in.index"];
  return Array.from(i32, (column, at) => Math.floor(at / shape[1]) * width + column);
}

goldenGradients("ops", {
  matmul: {
    build: ({ a, b }, data) =>
      range(2)
        .map((batch) => {
          const left = data.ints(`rows${batch}`, range(7, 7 * batch));
          const product = matmul(gather(a, left), gather(b, data.ints(`inner${batch}`, range(33, 33 * batch))));
          return scatterAddRows(left, product, 14);
        })
        .reduce(add),
  },
  broadcast_arith: {
    build({ a, b, c }, data) {
      const repeated = gather(b, data.ints("batches", [0, 1, 2, 0, 1, 2]));
      return divide(subtract(multiply(a, repeated), c), add(1, square(repeated)));
    },
  },
  linear: { build: ({ x, weight, bias }) => linear(x, weight, bias) },
  layer_norm: { build: ({ x, weight, bias }) => layerNorm(x, weight, bias, 1e-5) },
  rms_norm: { build: ({ x, weight }) => rmsNorm(x, weight, 1e-6) },
  rms_norm_gemma: { build: ({ x, weight }) => rmsNorm(x, add(1, weight), 1e-6) },
  softmax: ofX(softmax),
  log_softmax: ofX(logSoftmax),
  logsumexp: ofX(logSumExp),
  cross_entropy: meanCrossEntropy(),
  cross_entropy_smooth: meanCrossEntropy({ labelSmoothing: 0.1 }),
  cross_entropy_sum: { build: ({ x, target }) => sumAll(crossEntropy(x, target)) },
  cross_entropy_z: { build: ({ x, target }) => mean(crossEntropy(x, target, { zLoss: 0.01 })) },
  gelu_erf: ofX(gelu),
  gelu_tanh: ofX(geluTanh),
  gelu_quick: ofX((x) => multiply(x, sigmoid(scale(x, 1.702)))),
  silu: ofX(silu),
  relu: ofX(relu),
  relu2: ofX((x) => square(relu(x))),
  sigmoid: ofX(sigmoid),
  tanh: ofX(tanh),
  softplus: ofX(softplus),
  leaky_relu: ofX((x) => maximum(x, scale(x, 0.01))),
  elu: ofX((x) => add(relu(x), subtract(exp(minimum(x, 0)), 1))),
  mish: ofX((x) => multiply(x, tanh(softplus(x)))),
  logsigmoid: ofX(logSigmoid),
  exp: ofX(exp),
  softcap: ofX((x) => scale(tanh(scale(x, 1 / 5)), 5)),
  swiglu: gated(silu),
  geglu: gated(geluTanh),
  rope_half: { build: ({ x }, data) => turned(x, data, "halves") },
  rope_interleaved: { build: ({ x }, data) => turned(x, data, "interleaved") },
  rope_partial: { build: ({ x }, data) => turned(x, data, "halves", 8) },
  attention_causal_gqa: attention({}),
  attention_window: attention({ window: 4 }),
  attention_softcap: attention({ softCap: 5, scale: 0.5 }),
  attention_full: attention({}, true),
  embedding: { build: ({ table, ids }) => gather(table, ids) },
  gather: {
    columns: ["x"],
    build: ({ x }, data) => gather(x, data.ints("at", inRows(data, 6))),
  },
  scatter_add: {
    columns: ["x", "src"],
    build: ({ x, src }, data) => add(x, scatterAddRows(data.ints("at", inRows(data, 5)), src, 15)),
  },
  index_select_cat: {
    build({ x, z, index }, data) {
      const [front, back] = [data.ints("front", [0, 1, 2]), data.ints("back", [3, 4])];
      return add(scatterAddRows(front, gather(x, index), 5), scatterAddRows(back, z, 5));
    },
  },
  masked_mean_pool: {
    columns: ["mask"],
    build({ x, mask }, data) {
      const sentences = data.ints(
        "sentences",
        range(15).map((n) => Math.floor(n / 5)),
      );
      return divide(scatterAddRows(sentences, multiply(x, mask), 3), scatterAddRows(sentences, mask, 3));
    },
  },
  l2_normalize: ofX(unit),
  var_std: {
    build({ x }) {
      const biased = meanOfColumns(square(subtract(x, meanOfColumns(x))));
      const unbiased = scale(biased, 9 / 8);
      return { var: unbiased, std: sqrt(unbiased), var_biased: biased };
    },
  },
  kl_div: {
    build: ({ p_logits, q_logits }) => divergence(softmax(p_logits), logSoftmax(p_logits), logSoftmax(q_logits)),
  },
  js_div: {
    build({ p_logits, q_logits }) {
      const [p, q, logP, logQ] = [softmax(p_logits), softmax(q_logits), logSoftmax(p_logits), logSoftmax(q_logits)];
      const between = log(scale(add(p, q), 0.5));
      return scale(add(divergence(p, logP, between), divergence(q, logQ, between)), 0.5);
    },
  },
  bce_with_logits: {
    columns: ["x", "target"],
    build({ x, target }) {
      const other = multiply(subtract(1, target), logSigmoid(scale(x, -1)));
      return scale(mean(add(multiply(target, logSigmoid(x)), other)), -1);
    },
  },
  mse: { build: ({ x, y }) => mean(square(subtract(x, y))) },
  info_nce: {
    build({ a, b }, data) {
      const cosines = matmul(unit(a), unit(b), { transposeB: true });
      return mean(crossEntropy(scale(cosines, 1 / 0.05), data.ints("diagonal", range(5))));
    },
  },
  where_clamp: {
    build({ x, y }, data) {
      const chosen = data.floats("chosen", [4, 5], data.tensors["in.cond"].i32);
      const clamped = minimum(maximum(-1, x), 1);
      return add(multiply(chosen, clamped), multiply(subtract(1, chosen), y));
    },
  },
});
