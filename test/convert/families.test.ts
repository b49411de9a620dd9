// Every family from a folder to GGUF and back: the GGUF file is what llama.cpp's converter would make of it (held against
// the twins, which know nothing of this converter), and nothing is lost on the way back.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { convert } from "../../src/convert/index.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { type CaseName, caseFiles } from "../families/cases.ts";
import { type HfConfig, ggufTwin, twinRules } from "../families/gguf-twin.ts";
import { allTensors, ggufFiles } from "../families/memory-files.ts";
import { type FloatName, allBytes, temporaryFolder } from "./folders.ts";
import { caseFolder, checkRoundTrip, convertible, familyOf } from "./round-trips.ts";

describe("a folder converted to GGUF", () => {
  for (const name of convertible.filter((name) => name !== "gpt2-original")) {
    test(`holds what llama.cpp's converter makes of ${name}: tensors bit for bit, settings`, async () => {
      await using folder = await temporaryFolder();
      const gguf = folder.at("model.gguf");
      await convert(await caseFolder(folder, name), gguf);
      await using files = await caseFiles(name, "config.legacy.json");
      const twin = ggufTwin(familyOf(name), files.config as HfConfig, await allTensors(files));
      await using written = await openGguf(gguf);
      const { config } = await ggufFiles(twin.entries, twin.tensors);
      for (const [key, value] of Object.entries(config)) assert.deepEqual(written.config[key], value, key);
      const tensors = await allTensors(written);
      assert.deepEqual([...tensors.keys()].sort(), [...twin.tensors.keys()].sort());
      for (const [tensor, { shape, values }] of twin.tensors)
        assert.deepEqual(tensors.get(tensor), { shape, values }, tensor);
    });
  }

  test("keeps matrices in their type, and vectors and positions as f32", async () => {
    await using folder = await temporaryFolder();
    await convert(await caseFolder(folder, "gpt2", "config.json", "bf16"), folder.at("model.gguf"));
    for (const [name, { type }] of await allBytes(folder.at("model.gguf"))) {
      const isMatrix = /(attn_qkv|attn_output|ffn_up|ffn_down|token_embd)\.weight$/.test(name);
      assert.equal(type, isMatrix ? "bf16" : "f32", name);
    }
  });
});

/** Those whose values become others in GGUF, or whose matrices are transposed, split or stacked. */
const IN_ALL_TYPES: readonly CaseName[] = ["llama", "gemma", "gpt2", "mixtral"];

describe("a folder converted to GGUF and back", () => {
  for (const name of convertible) {
    const types: readonly FloatName[] = IN_ALL_TYPES.includes(name) ? ["f32", "f16", "bf16"] : ["bf16"];
    for (const type of types) {
      test(`keeps every bit of ${name} in ${type}, and its settings`, () => checkRoundTrip(name, type));
    }
  }

  test("every family that has a twin is among the cases", () => {
    assert.deepEqual([...new Set(convertible.map(familyOf))].sort(), Object.keys(twinRules).sort());
  });
});
