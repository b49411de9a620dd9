// llama2.c in a test's words: writes a checkpoint of random weights, and runs one by run.c's own mathematics, read from
// the checkpoint's bytes with nothing of Liang's. Source: run.c (memory_map_weights, forward) of karpathy/llama2.c.
import { uniform } from "../../src/base/random.ts";

/** The header of version 0. */
export interface Sizes {
  readonly width: number;
  readonly forwardWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabulary: number;
  readonly window: number;
  /** The head is the embedding. */
  readonly tied: boolean;
}

/** Tensors in the order of the file, with their numbers of values. */
function layout(sizes: Sizes): [name: string, count: number][] {
  const { width, forwardWidth, layers, heads, kvHeads, vocabulary, window, tied } = sizes;
  const kvWidth = (width / heads) * kvHeads;
  const table = (window * width) / heads / 2;
  return [
    ["embedding", vocabulary * width],
    ["attentionNorm", layers * width],
    ["wq", layers * width * width],
    ["wk", layers * width * kvWidth],
    ["wv", layers * width * kvWidth],
    ["wo", layers * width * width],
    ["mlpNorm", layers * width],
    ["w1", layers * width * forwardWidth],
    ["w2", layers * width * forwardWidth],
    ["w3", layers * width * forwardWidth],
    ["finalNorm", width],
    ["real", table],
    ["imaginary", table],
    ...(tied ? [] : ([["head", vocabulary * width]] as [string, number][])),
  ];
}

export function randomCheckpoint(sizes: Sizes): Uint8Array<ArrayBuffer> {
  const { width, forwardWidth, layers, heads, kvHeads, vocabulary, window, tied } = sizes;
  const header = Int32Array.of(width, forwardWidth, layers, heads, kvHeads, tied ? vocabulary : -vocabulary, window);
  const tensors = layout(sizes).map(([name, count], stream) => {
    const [centre, spread] = name.endsWith("Norm") ? [1, 0.5] : [0, 0.6];
    return Float32Array.from({ length: count }, (_, i) => centre + spread * (uniform(7, stream, i) - 0.5));
  });
  return new Uint8Array(Buffer.concat([header, ...tensors].map(({ buffer }) => new Uint8Array(buffer))));
}

/** A tokenizer file: the unknown piece, BOS, EOS, 256 bytes, then single characters. */
export function tokenizerFile(vocabulary: number): Uint8Array<ArrayBuffer> {
  const pieces = Array.from({ length: vocabulary }, (_, id) => {
    if (id < 3) return ["<unk>", "\n<s>\n", "\n</s>\n"][id];
    if (id < 259) return `<0x${(id - 3).toString(16).toUpperCase().padStart(2, "0")}>`;
    return id === 259 ? " " : String.fromCodePoint(0x60 + id - 259);
  }).map((piece) => Buffer.from(piece));
  const bytes = Buffer.alloc(4 + pieces.reduce((sum, piece) => sum + 8 + piece.length, 0));
  bytes.writeInt32LE(Math.max(...pieces.map((piece) => piece.length)), 0);
  let at = 4;
  for (const [id, piece] of pieces.entries()) {
    bytes.writeFloatLE(-id, at);
    bytes.writeInt32LE(piece.length, at + 4);
    at += 8 + piece.copy(bytes, at + 8);
  }
  return new Uint8Array(bytes);
}

/** Logits (T, V) of the ids, in f64. */
export function forward(checkpoint: Uint8Array<ArrayBuffer>, sizes: Sizes, ids: readonly number[]): number[][] {
  const { width, forwardWidth, layers, heads, kvHeads, vocabulary, tied } = sizes;
  const weights = new Map<string, Float32Array>();
  let at = 28;
  for (const [name, count] of layout(sizes)) {
    weights.set(name, new Float32Array(checkpoint.buffer, at, count));
    at += 4 * count;
  }
  const headSize = width / heads;
  const kvWidth = headSize * kvHeads;
  const slice = (name: string, layer: number, count: number): Float32Array =>
    weights.get(name)!.subarray(layer * count, (layer + 1) * count);
  const matmul = (x: readonly number[], w: Float32Array): number[] =>
    Array.from({ length: w.length / x.length }, (_, row) =>
      x.reduce((sum, v, i) => sum + w[row * x.length + i] * v, 0),
    );
  const rmsnorm = (x: readonly number[], gain: Float32Array): number[] => {
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + 1e-5);
    return x.map((v, i) => gain[i] * scale * v);
  };
  const rotate = (x: number[], position: number): void => {
    for (let i = 0; i < x.length; i += 2) {
      const angle = position / 10_000 ** ((i % headSize) / headSize);
      const [a, b] = [x[i], x[i + 1]];
      x[i] = a * Math.cos(angle) - b * Math.sin(angle);
      x[i + 1] = a * Math.sin(angle) + b * Math.cos(angle);
    }
  };
  const keys: number[][][] = Array.from({ length: layers }, () => []);
  const values: number[][][] = Array.from({ length: layers }, () => []);
  return ids.map((id, position) => {
    let x = Array.from(slice("embedding", id, width));
    for (let layer = 0; layer < layers; layer++) {
      const normed = rmsnorm(x, slice("attentionNorm", layer, width));
      const q = matmul(normed, slice("wq", layer, width * width));
      const k = matmul(normed, slice("wk", layer, width * kvWidth));
      rotate(q, position);
      rotate(k, position);
      keys[layer].push(k);
      values[layer].push(matmul(normed, slice("wv", layer, width * kvWidth)));
      const mixed = q.map(() => 0);
      for (let head = 0; head < heads; head++) {
        const shared = Math.floor(head / (heads / kvHeads)) * headSize;
        const scores = keys[layer].map((key) => {
          let dot = 0;
          for (let i = 0; i < headSize; i++) dot += q[head * headSize + i] * key[shared + i];
          return Math.exp(dot / Math.sqrt(headSize));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        for (const [t, score] of scores.entries()) {
          for (let i = 0; i < headSize; i++) {
            mixed[head * headSize + i] += (score / total) * values[layer][t][shared + i];
          }
        }
      }
      const attended = matmul(mixed, slice("wo", layer, width * width));
      x = x.map((v, i) => v + attended[i]);
      const inner = rmsnorm(x, slice("mlpNorm", layer, width));
      const up = matmul(inner, slice("w3", layer, width * forwardWidth));
      const gated = matmul(inner, slice("w1", layer, width * forwardWidth)).map(
        (g, i) => (g / (1 + Math.exp(-g))) * up[i],
      );
      const down = matmul(gated, slice("w2", layer, width * forwardWidth));
      x = x.map((v, i) => v + down[i]);
    }
    const last = rmsnorm(x, weights.get("finalNorm")!);
    return matmul(last, weights.get(tied ? "embedding" : "head")!.subarray(0, vocabulary * width));
  });
}
