import assert from "node:assert/strict";
import { test } from "node:test";
import { type HfFiles, noTextFiles } from "../format/hf-folder.ts";
import { readTexts } from "./texts.ts";

/** A folder with these settings and no tokenizer. */
const folder = (config: Record<string, unknown>, generationConfig?: Record<string, unknown>): HfFiles => ({
  file: "folder",
  kind: "hf",
  config,
  tensors: new Map(),
  weightFiles: [],
  read: () => Promise.reject(new Error("there are no tensors")),
  readTextFiles: async () => ({ ...noTextFiles, generationConfig }),
  async close() {},
  async [Symbol.asyncDispose]() {},
});

const endIds = async (...asked: Parameters<typeof folder>): Promise<readonly number[]> =>
  (await readTexts(folder(...asked), 10)).endIds;

test("replies end at generation_config.json's ids, or at config.json's where it names none", async () => {
  assert.deepEqual(await endIds({ eos_token_id: 2 }, { eos_token_id: [3, 4] }), [3, 4]);
  assert.deepEqual(await endIds({ eos_token_id: [2, 5] }), [2, 5]);
  assert.deepEqual(await endIds({ eos_token_id: 2 }, { temperature: 1 }), [2]);
  assert.deepEqual(await endIds({ eos_token_id: null }), []);
});
