// llama.cpp's side of bench/speed.ts: loads a model through node-llama-cpp, then answers one JSON line for each JSON line
// on standard input: {"run": "prefill", "ids": [...]}, {"run": "decode", "ids": [...], "tokens": n}.
// Usage: node side.mjs MODEL THREADS WINDOW SEQUENCES
import { createInterface } from "node:readline";
import { LlamaLogLevel, getLlama } from "node-llama-cpp";

const [path, threads, window, sequences = "1"] = process.argv.slice(2);
const started = performance.now();
const llama = await getLlama({
  gpu: false,
  build: "never",
  progressLogs: false,
  maxThreads: Number(threads),
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({
  contextSize: Number(window),
  sequences: Number(sequences),
  batchSize: 512,
  threads: { ideal: Number(threads), min: Number(threads) },
});
const streams = Array.from({ length: Number(sequences) }, () => context.getSequence());
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const greedy = { temperature: 0, yieldEogToken: true };

/** Milliseconds of reading the prompt: until its last token's prediction is there. */
async function prefill(stream, ids) {
  await stream.clearHistory();
  const begun = performance.now();
  await stream.evaluateWithoutGeneratingNewTokens(ids);
  return performance.now() - begun;
}

/** Reads `ids` and writes: milliseconds of `tokens` tokens after the first. */
async function write(stream, ids, tokens) {
  let [written, begun] = [0, 0];
  for await (const _ of stream.evaluate(ids, greedy)) {
    if (written === 0) begun = performance.now();
    if (written++ === tokens) break;
  }
  return performance.now() - begun;
}

async function decode(stream, ids, tokens) {
  await stream.clearHistory();
  return await write(stream, ids, tokens);
}

/** Milliseconds in which all streams together write `tokens` each, after their first. */
async function batch(ids, tokens) {
  for (const stream of streams) await stream.clearHistory();
  const writers = streams.map((stream) => stream.evaluate(ids, greedy));
  await Promise.all(writers.map((writer) => writer.next()));
  const begun = performance.now();
  await Promise.all(
    writers.map(async (writer) => {
      for (let i = 0; i < tokens; i++) await writer.next();
    }),
  );
  const ms = performance.now() - begun;
  await Promise.all(writers.map((writer) => writer.return()));
  return ms;
}

/** Goes on with a stream that holds `ids`, and leaves it so. */
async function deep(stream, ids, tokens) {
  if (stream.nextTokenIndex !== ids.length) await prefill(stream, ids);
  const ms = await write(stream, [ids[0]], tokens);
  await stream.eraseContextTokenRanges([{ start: ids.length, end: stream.nextTokenIndex }]);
  return ms;
}

say({ ready: true, loadMs: performance.now() - started, system: llama.systemInfo });
for await (const line of createInterface({ input: process.stdin })) {
  const { run, ids, tokens } = JSON.parse(line);
  if (run === "prefill") say({ ms: await prefill(streams[0], ids) });
  else if (run === "decode") say({ ms: await decode(streams[0], ids, tokens) });
  else if (run === "deep") say({ ms: await deep(streams[0], ids, tokens) });
  else if (run === "batch") say({ ms: await batch(ids, tokens) });
  else say({ error: `unknown run ${run}` });
}
await llama.dispose();
