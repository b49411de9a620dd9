// What is compared: a model, our tier, what llama.cpp may use of the machine, and the runs that both sides do in turn.
import type { Question } from "./side.ts";

export interface Match {
  readonly label: string;
  readonly run: Exclude<Question["run"], "bandwidth">;
  /** Tokens of the prompt. */
  readonly prompt: number;
  /** Tokens written (by each sequence). */
  readonly tokens: number;
  /** Bytes of keys and values that a token reads besides the weights. */
  readonly cacheBytes?: number;
  readonly goal: string;
}

export interface Scenario {
  readonly name: string;
  readonly model: string;
  /** What LIANG_CPU is; undefined: the best there is. */
  readonly tier?: string;
  /** Which of llama.cpp's kernels may be used. */
  readonly peer: "all" | "no AMX" | "AVX2";
  readonly window: number;
  readonly sequences?: number;
  readonly matches: readonly Match[];
}

const qwen = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf";
const gemma = "gemma-3-270m-q4_k_m.gguf";
/** 28 layers, 2 key-value heads of 128, keys and values, f16. */
const QWEN_KV_BYTES = 28 * 2 * 128 * 2 * 2;

const prefill = (goal: string): Match => ({ label: "reads 512", run: "prefill", prompt: 512, tokens: 1, goal });
const decode = (goal: string): Match => ({ label: "writes 128", run: "decode", prompt: 20, tokens: 128, goal });
const deep = (prompt: number): Match => ({
  label: `writes after ${prompt}`,
  run: "deep",
  prompt,
  tokens: 32,
  cacheBytes: prompt * QWEN_KV_BYTES,
  goal: "2×",
});
const batch = (goal: string): Match => ({ label: "8 write 64 each", run: "batch", prompt: 20, tokens: 64, goal });

export const scenarios: readonly Scenario[] = [
  { name: "qwen", model: qwen, peer: "all", window: 1024, matches: [prefill("4×"), decode("1.7×, 85 % of bandwidth")] },
  { name: "gemma", model: gemma, peer: "all", window: 1024, matches: [prefill("2×"), decode("1.7×")] },
  {
    name: "qwen-vnni",
    model: qwen,
    tier: "avx512vnni",
    peer: "no AMX",
    window: 1024,
    matches: [prefill("1.6×"), decode("–")],
  },
  {
    name: "qwen-avx2",
    model: qwen,
    tier: "avx2",
    peer: "AVX2",
    window: 1024,
    matches: [prefill("0.6 × ours of avx512vnni"), decode("80 % of bandwidth")],
  },
  { name: "gemma-wasm", model: gemma, tier: "wasm-relaxed", peer: "all", window: 1024, matches: [decode("0.6×")] },
  { name: "qwen-8k", model: qwen, peer: "all", window: 8192 + 64, matches: [deep(8192)] },
  { name: "qwen-16k", model: qwen, peer: "all", window: 16384 + 64, matches: [deep(16384)] },
  {
    name: "qwen-batch",
    model: qwen,
    peer: "all",
    window: 1024,
    sequences: 8,
    matches: [batch("4 × one stream of ours")],
  },
];
