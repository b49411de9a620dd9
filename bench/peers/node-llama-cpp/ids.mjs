// The side of llama.cpp in test/peers: opens a GGUF file and answers {"texts": [...], "prompts": [[...]], "tokens": n} on
// standard input with ids of the texts, the texts of these ids, and what it writes greedily after each prompt.
import { json } from "node:stream/consumers";
import { LlamaLogLevel, getLlama } from "node-llama-cpp";

const { texts, prompts, tokens } = await json(process.stdin);
const llama = await getLlama({
  gpu: false,
  build: "never",
  progressLogs: false,
  maxThreads: 1, // several would wait for each other in turns where other work shares the cores
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: process.argv[2] });
const context = await model.createContext({ contextSize: 256, threads: 1 });
const sequence = context.getSequence();
const written = [];
for (const prompt of prompts) {
  await sequence.clearHistory();
  const reply = [];
  for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    reply.push(id);
    if (reply.length === tokens) break;
  }
  written.push(reply);
}
const found = texts.map((text) => model.tokenize(text, false));
const decoded = found.map((one) => model.detokenize(one, false));
process.stdout.write(JSON.stringify({ texts: found, decoded, written }));
await llama.dispose();
