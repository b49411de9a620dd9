// run.ts against the engine on Qwen2.5-Coder 1.5B: k-quants, byte-level tokens, biases, shared key-value heads. Slow on
// purpose: a token takes the program in one file several seconds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { modelFile } from "../model-files.ts";
import { engineIds, twinIds } from "../run/twin.ts";

const PROMPT = "def add(a, b):\n    return";
const TOKENS = 4;

const { path, skip } = modelFile("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf");

test("run.ts chooses the engine's greedy ids on Qwen2.5-Coder 1.5B", { skip }, async () => {
  const [engine] = await engineIds(path, [PROMPT], TOKENS);
  assert.deepEqual(await twinIds(path, PROMPT, TOKENS), engine);
  assert.equal(engine.ids.length, TOKENS);
});
