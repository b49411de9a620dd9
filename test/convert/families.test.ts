// Every family from a folder to GGUF and back: the GGUF file is what llama.cpp's converter would make of it (held against
// the twins, which know nothing of this converter), and nothing is lost on the way back.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { convert } from "../../src/convert/index.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { type CaseName, type ConfigName, caseFiles, caseNames } from "../families/cases.ts";
import { type HfConfig, ggufTwin, twinRules } from "../families/gguf-twin.ts";
import { allTensors, ggufFiles } from "../families/memory-files.ts";
import { type FloatName, type Folder, allBytes, readJson, temporaryFolder, writeCase } from "./folders.ts";

const familyOf = (name: CaseName): string =>
  ({
    "llama-3": "llama",
    yi: "llama",
    "phi3-longrope": "phi3",
    "gpt2-original": "gpt2",
    "baichuan-7b": "baichuan",
    "baichuan-13b": "baichuan",
    "baichuan2-7b": "baichuan",
    chatglm3: "chatglm",
    "deepseek_v2-lite": "deepseek_v2",
  })[name as string] ?? name;

/** llama.cpp has no name for GPT-1. */
const convertible = caseNames.filter((name) => name !== "openai-gpt");

/** What GGUF takes for granted, where the case has something else. */
const asGgufHasIt: Readonly<Partial<Record<CaseName, Record<string, unknown>>>> = { gpt_oss: { swiglu_limit: 7 } };

/** Settings that a config.json may leave to the family, as the conversion back states them. */
const KEYS_OF_THE_TWINS = [
  "max_position_embeddings",
  "rope_theta",
  "rms_norm_eps",
  "head_dim",
  "n_inner",
  "vocab_size",
];

async function caseFolder(folder: Folder, name: CaseName, configName?: ConfigName, type?: FloatName): Promise<string> {
  const path = folder.at("hf");
  await mkdir(path);
  await writeCase(path, name, configName, type);
  const file = join(path, "config.json");
  await writeFile(file, JSON.stringify({ ...(await readJson(file)), ...asGgufHasIt[name] }));
  return path;
}

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

describe("a folder converted to GGUF and back", () => {
  const runs = convertible.flatMap((name) => (["f32", "f16", "bf16"] as const).map((type) => [name, type] as const));
  for (const [name, type] of runs as readonly (readonly [CaseName, FloatName])[]) {
    test(`keeps every bit of ${name} in ${type}, and its settings`, async () => {
      await using folder = await temporaryFolder();
      const hf = await caseFolder(folder, name, "config.legacy.json", type);
      await convert(hf, folder.at("model.gguf"));
      const report = await convert(folder.at("model.gguf"), folder.at("again"));
      assert.ok(report.checks.logits.ids > 0 && report.checks.weights > 0);

      const before = await allBytes(hf);
      const after = await allBytes(folder.at("again"));
      // the first release of GPT-2 has shorter names, and its causal mask among the weights
      const nameOf = (tensor: string): string => (name === "gpt2-original" ? `transformer.${tensor}` : tensor);
      const weights = [...before].filter(([tensor]) => !/\.attn\.bias$|\.inv_freq$/.test(tensor));
      assert.deepEqual([...after.keys()].sort(), weights.map(([tensor]) => nameOf(tensor)).sort());
      for (const [tensor, bytes] of weights) {
        if (name === "baichuan2-7b" && tensor === "lm_head.weight") continue; // its rows have length 1 in GGUF
        assert.deepEqual(after.get(nameOf(tensor)), bytes, tensor);
      }

      const [given, written] = [await readJson(`${hf}/config.json`), await readJson(folder.at("again/config.json"))];
      for (const key of KEYS_OF_THE_TWINS.filter((key) => given[key] != null))
        assert.deepEqual(written[key], given[key], key);
      // Baichuan's first model spells its class in another way, which GGUF does not keep
      const spelled = name === "baichuan-7b" ? [] : ["architectures"];
      for (const key of ["model_type", ...spelled, "tie_word_embeddings", "rope_scaling"]) {
        if (key in given) assert.deepEqual(written[key], given[key], key);
      }
    });
  }

  test("reads the config of new releases of transformers as it reads the old one", async () => {
    for (const name of convertible) {
      const configs: unknown[] = [];
      for (const configName of ["config.json", "config.legacy.json"] as const) {
        await using folder = await temporaryFolder();
        await convert(await caseFolder(folder, name, configName), folder.at("model.gguf"));
        await convert(folder.at("model.gguf"), folder.at("again"));
        configs.push(await readJson(folder.at("again/config.json")));
      }
      assert.deepEqual(configs[0], configs[1], name);
    }
  });

  test("every family that has a twin is among the cases", () => {
    assert.deepEqual([...new Set(convertible.map(familyOf))].sort(), Object.keys(twinRules).sort());
  });
});
