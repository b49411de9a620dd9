// How fast a token goes through layers of experts, beside layers without a choice that read as many bytes for a token: both
// sides by turns in one process. Whole layers: norm, router, choice, experts, sum.
// Run: node bench/experts.ts [--layers 3] [--experts 128] [--chosen 8] [--width 2048] [--forward 768] [--format q4_k] [--threads 2]
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import type { ParameterStore, Program, StoredParameter } from "../src/device/executor.ts";
import { type Tensor, add, graph, input, multiply, parameter, rmsNorm, silu } from "../src/graph/index.ts";
import { expertMlp, gatedMlp, plainProjection, route, weightsOf } from "../src/nn/index.ts";
import { type FormatName, bytesForRow, formats } from "../src/numeric/registry.ts";

const { values } = parseArgs({
  options: {
    layers: { type: "string", default: "3" },
    experts: { type: "string", default: "128" },
    chosen: { type: "string", default: "8" },
    width: { type: "string", default: "2048" },
    forward: { type: "string", default: "768" },
    format: { type: "string", default: "q4_k" },
    threads: { type: "string", default: "2" },
    rows: { type: "string", default: "1" },
  },
});
const [layers, experts, chosen, width, forward] = [
  values.layers,
  values.experts,
  values.chosen,
  values.width,
  values.forward,
].map(Number);
const [threads, rows] = [values.threads, values.rows].map(Number);
const format = values.format as FormatName;
const TOKENS = 40;
const TURNS = 6;

const stored = new Map<string, StoredParameter>();
function weight(name: string, outer: number, inner: number, of: FormatName, matrices?: number): Tensor {
  const byteLength = outer * bytesForRow(of, inner);
  stored.set(name, { name, rows: outer, columns: inner, format: of, byteLength, ...(matrices && { matrices }) });
  return parameter(name, of === "f32" && outer === 1 ? [inner] : [outer, inner]);
}

/** Weights in a format's own encoding, the same few rows over and over: what they are changes no time. */
const noise = Float32Array.from({ length: width * 64 }, (_, i) => Math.sin(i * 12.9898 + (i % 977)) * 0.05);
const store: ParameterStore = {
  parameters: stored,
  async readRows(name, _, into) {
    const { format: of } = stored.get(name)!;
    const bytes = encoded(of);
    for (let at = 0; at < into.byteLength; at += bytes.byteLength) {
      into.set(bytes.subarray(0, Math.min(bytes.byteLength, into.byteLength - at)), at);
    }
  },
};
const known = new Map<FormatName, Uint8Array>();
function encoded(of: FormatName): Uint8Array {
  const bytes = known.get(of) ?? formats[of].encode!(noise);
  known.set(of, bytes);
  return bytes;
}

const names = { has: (name: string): boolean => !name.endsWith(".bias") && !name.endsWith("selectionBias") };
const silent = (gate: Tensor, up: Tensor): Tensor => multiply(silu(gate), up);
const x = (): Tensor => input("x", [{ name: "rows", bound: 8 }, width], "f32");

function mixtures() {
  let h = x();
  for (let layer = 0; layer < layers; layer++) {
    const shapes: Readonly<Record<string, readonly [number, number, FormatName, number?]>> = {
      "router.weight": [experts, width, "f32"],
      "gate.weight": [experts * forward, width, format, experts],
      "up.weight": [experts * forward, width, format, experts],
      "down.weight": [experts * width, forward, format, experts],
    };
    const weights = weightsOf(names, (name) => weight(`m${layer}.${name}`, ...shapes[name]), plainProjection);
    const normed = rmsNorm(h, weight(`m${layer}.gain`, 1, width, "f32"), 1e-6);
    const routed = route(normed, weights, { experts, chosen, scores: "softmax", renormalised: true });
    h = add(h, expertMlp(normed, weights, routed, experts, silent));
  }
  return graph({ y: h });
}

/** As many layers of one expert's shape as all experts are, of `chosen` times its width. */
function plain() {
  let h = x();
  for (let layer = 0; layer < (layers * experts) / chosen; layer++) {
    const shapes: Readonly<Record<string, readonly [number, number]>> = {
      "gate.weight": [chosen * forward, width],
      "up.weight": [chosen * forward, width],
      "down.weight": [width, chosen * forward],
    };
    const make = (name: string): Tensor => weight(`p${layer}.${name}`, ...shapes[name], format);
    const normed = rmsNorm(h, weight(`p${layer}.gain`, 1, width, "f32"), 1e-6);
    h = add(h, gatedMlp(normed, weightsOf(names, make, plainProjection), silu));
  }
  return graph({ y: h });
}

const executor = createCpuExecutor();
await using mixture = await executor.open(store, { run: mixtures() }, { threads });
await using dense = await executor.open(store, { run: plain() }, { threads });

/** Seconds of a token, with other numbers for each, so that each chooses experts of its own. */
async function secondsOf(program: Program, tokens: number): Promise<number> {
  let seconds = 0;
  for (let token = 0; token < tokens; token++) {
    const phase = Math.random() * 1000;
    for (let i = 0; i < rows * width; i++) program.inputs.x[i] = Math.sin(phase * (1 + (i % 61)) + i * i);
    const start = performance.now();
    await program.run({ rows });
    seconds += (performance.now() - start) / 1000;
  }
  return seconds / tokens;
}

const [bytesOfMixture, bytesOfDense] = [mixture, dense].map(({ memory }) => memory.bytesPerToken.run);
const denseShare = (layers * chosen) / experts / layers; // of the dense layers, as many bytes as a token's experts
let [bestMixture, bestDense] = [Infinity, Infinity];
for (let turn = 0; turn < TURNS; turn++) {
  bestMixture = Math.min(bestMixture, await secondsOf(mixture.programs.run, TOKENS));
  bestDense = Math.min(bestDense, await secondsOf(dense.programs.run, Math.ceil(TOKENS * denseShare)));
}
const rate = (bytes: number, seconds: number): string => (bytes / seconds / 1e9).toFixed(1);
console.log(
  `${executor.tier}, ${threads} threads, ${format}, ${rows} rows: ${layers} layers of ${experts} experts, ${chosen} chosen:`,
  `${(bestMixture * 1000).toFixed(2)} ms, ${(bytesOfMixture / 1e6).toFixed(0)} MB a token, ${rate(bytesOfMixture, bestMixture)} GB/s;`,
  `without a choice ${rate(bytesOfDense, bestDense)} GB/s`,
);
