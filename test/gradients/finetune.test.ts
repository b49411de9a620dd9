// Adapters, distillation and loss masks composed of ops, against results and gradients by PyTorch in f64.
import {
  type Tensor,
  add,
  crossEntropy,
  divide,
  linear,
  logSoftmax,
  matmul,
  multiply,
  scale,
  scatterAddRows,
  softmax,
  sqrt,
  subtract,
  sumAll,
  sumColumns,
} from "../../src/graph/index.ts";
import { type GoldenCase, type GoldenData, goldenGradients } from "./golden.ts";

/** x Wᵀ + factor (x Aᵀ) Bᵀ. */
const adapted = ({ x, weight, A, B }: Readonly<Record<string, Tensor>>, factor: number): Tensor =>
  add(linear(x, weight), scale(linear(linear(x, A), B), factor));

/** α T² KL(teacher || student), both at temperature T, + (1 - α) cross-entropy, means over the rows with a target. */
const distilled = (alpha: number, temperature: number): GoldenCase => ({
  build({ student, teacher, target }, data) {
    const kept = Array.from(data.tensors["in.target"].i32, (id) => (id < 0 ? 0 : 1));
    const share = 1 / kept.filter((it) => it > 0).length;
    const [logS, logT] = [student, teacher].map((logits) => logSoftmax(scale(logits, 1 / temperature)));
    const apart = sumColumns(multiply(softmax(scale(teacher, 1 / temperature)), subtract(logT, logS)));
    const kl = scale(sumAll(multiply(apart, data.floats("kept", [kept.length, 1], kept))), share);
    const ce = scale(sumAll(crossEntropy(student, target)), share);
    return { loss: add(scale(kl, alpha * temperature ** 2), scale(ce, 1 - alpha)), kl, ce };
  },
});

/** Targets of logits (sequences * T, V): the label of the next position, none for the last. */
function nextLabels({ tensors }: GoldenData): number[] {
  const { shape, i32 } = tensors["in.labels"];
  return Array.from(i32, (_, at) => (at % shape[1] === shape[1] - 1 ? -100 : i32[at + 1]));
}

goldenGradients("finetune", {
  lora_linear: {
    build: (leaves) => ({
      y: adapted(leaves, 8 / 4),
      merged: add(leaves.weight, scale(matmul(leaves.B, leaves.A), 8 / 4)),
    }),
  },
  lora_forward_only: { build: (leaves) => adapted(leaves, 8 / 4) },
  rslora: { build: (leaves) => adapted(leaves, 8 / Math.sqrt(4)) },
  dora: {
    columns: ["m"],
    build({ x, weight, A, B, m }) {
      const direction = add(weight, scale(matmul(B, A), 8 / 4));
      const length = sqrt(sumColumns(multiply(direction, direction)));
      return linear(x, multiply(direction, divide(m, length)));
    },
  },
  distill_T2: distilled(0.5, 2),
  distill_T4: distilled(0.9, 4),
  distill_reverse_kl: {
    build({ student, teacher }) {
      const apart = multiply(softmax(student), subtract(logSoftmax(student), logSoftmax(teacher)));
      return scale(sumAll(apart), 1 / 7);
    },
  },
  label_mask: {
    build({ logits }, data) {
      const labels = nextLabels(data);
      const losses = crossEntropy(logits, data.ints("next", labels));
      const sequences = data.ints(
        "sequences",
        labels.map((_, at) => Math.floor(at / 9)),
      );
      const kept = labels.filter((label) => label >= 0).length;
      return { loss: scale(sumAll(losses), 1 / kept), seq_logp: scale(scatterAddRows(sequences, losses, 3), -1) };
    },
  },
});
