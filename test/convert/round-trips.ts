// Cases of families as folders that convert, and what a folder is after it became GGUF and a folder again.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { convert } from "../../src/convert/index.ts";
import { type CaseName, type ConfigName, caseNames } from "../families/cases.ts";
import { type FloatName, type Folder, allBytes, readJson, temporaryFolder, writeCase } from "./folders.ts";

export const familyOf = (name: CaseName): string =>
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
export const convertible = caseNames.filter((name) => name !== "openai-gpt");

/** What GGUF takes for granted, where the case has something else. */
const asGgufHasIt: Readonly<Partial<Record<CaseName, Record<string, unknown>>>> = {
  gpt_oss: { swiglu_limit: 7 },
};

/** Settings that a config.json may leave to the family, as the conversion back states them. */
const KEYS_OF_THE_TWINS = [
  "max_position_embeddings",
  "rope_theta",
  "rms_norm_eps",
  "head_dim",
  "n_inner",
  "vocab_size",
];

export async function caseFolder(
  folder: Folder,
  name: CaseName,
  configName?: ConfigName,
  type?: FloatName,
): Promise<string> {
  const path = folder.at("hf");
  await mkdir(path);
  await writeCase(path, name, configName, type);
  const file = join(path, "config.json");
  await writeFile(file, JSON.stringify({ ...(await readJson(file)), ...asGgufHasIt[name] }));
  return path;
}

/** The case in a float type keeps every bit and its settings. */
export async function checkRoundTrip(name: CaseName, type: FloatName): Promise<void> {
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
}

/** The settings that a folder with one of the case's configs has after it became GGUF and a folder again. */
export async function settingsAgain(name: CaseName, configName: ConfigName): Promise<unknown> {
  await using folder = await temporaryFolder();
  await convert(await caseFolder(folder, name, configName), folder.at("model.gguf"));
  await convert(folder.at("model.gguf"), folder.at("again"));
  return await readJson(folder.at("again/config.json"));
}
