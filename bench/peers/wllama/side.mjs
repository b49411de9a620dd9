// wllama's side of bench/browser.ts: llama.cpp in WebAssembly, on the page. The processor alone, no WebGPU; f16 keys and
// values, as Liang has them. Times are those that llama.cpp itself reports.
import { Wllama } from "./wllama/index.js";

const wllama = new Wllama(
  { default: new URL("./wllama/wasm/wllama.wasm", import.meta.url).href },
  { suppressNativeLog: true, logger: { debug() {}, log() {}, warn() {}, error: console.error } },
);

export async function open(file, threads) {
  const startMs = performance.now();
  const f16 = { cache_type_k: "f16", cache_type_v: "f16" };
  await wllama.loadModel([file], {
    n_gpu_layers: 0,
    n_threads: threads,
    n_ctx: 1024,
    n_batch: 512,
    n_ubatch: 512,
    n_parallel: 1,
    ...f16,
  });
  const what = `llama.cpp ${Wllama.getLibllamaVersion()}, ${wllama.getNumThreads()} threads`;
  return { loadMs: performance.now() - startMs, what };
}

export async function ask({ text, tokens }) {
  const { timings } = await wllama.createCompletion({
    prompt: text,
    max_tokens: tokens,
    temperature: 0,
    ignore_eos: true,
    cache_prompt: false,
  });
  const { prompt_n: promptTokens, prompt_ms: prefillMs, predicted_n: written, predicted_ms: decodeMs } = timings;
  return { promptTokens, prefillMs, decodeTokens: written, decodeMs };
}
