// The golden cases of test/golden/families, opened: model files with either config, and the expected tensors.
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { memorySource } from "../../src/base/source.ts";
import type { ParameterStore } from "../../src/device/executor.ts";
import { type Files, openFileStore, readModelFiles } from "../../src/engine/file-store.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { readSafetensors, readTensor } from "../../src/format/safetensors.ts";
import type { Model } from "../../src/models/index.ts";

const folder = resolve(import.meta.dirname, "../golden/families");

const plainNames = ["llama", "llama-3", "yi", "mistral", "qwen2", "qwen3", "gpt2", "gpt2-original"] as const;
const gemmaNames = ["gemma", "gemma2", "gemma3_text"] as const;
const phiNames = ["phi3", "phi3-longrope"] as const;
const glmNames = ["chatglm3", "glm", "glm4"] as const;
const baichuanNames = ["baichuan-7b", "baichuan-13b", "baichuan2-7b"] as const;
const mixtureNames = ["mixtral", "qwen2_moe", "qwen3_moe", "gpt_oss"] as const;
const latentNames = ["deepseek_v2", "deepseek_v2-lite", "deepseek_v3"] as const;
const otherNames = ["openai-gpt", "hunyuan_v1_dense", "hunyuan_v1_moe"] as const;
export const caseNames = [
  ...plainNames,
  ...gemmaNames,
  ...phiNames,
  ...glmNames,
  ...baichuanNames,
  ...mixtureNames,
  ...latentNames,
  ...otherNames,
] as const;
export const encoderNames = ["bert", "bert-embed", "xlm-roberta"] as const;
export type CaseName = (typeof caseNames)[number] | (typeof encoderNames)[number];

/** Cases that read a source text first; their configs have one form. */
export const encoderDecoderNames = ["marian", "t5", "t5-relu"] as const;
export type EncoderDecoderName = (typeof encoderDecoderNames)[number];

/** Cases that read images; their configs have one form. */
export const imageNames = ["clip", "vit"] as const;

export type GoldenName = CaseName | EncoderDecoderName | (typeof imageNames)[number];
export const allNames: readonly GoldenName[] = [...caseNames, ...encoderNames, ...encoderDecoderNames, ...imageNames];

const typeOf = (name: GoldenName): unknown =>
  (JSON.parse(readFileSync(join(folder, name, "config.json"), "utf8")) as Record<string, unknown>)["model_type"];
/** Of each family that has some of the cases the first one, its main form. */
export function mainOf<N extends GoldenName>(names: readonly N[]): N[] {
  const types = names.map(typeOf);
  return names.filter((_, i) => types.indexOf(types[i]) === i);
}

/** Families without a case of their own, and one that they read as another family does (page.test.ts). */
export const sameReader: Readonly<Record<string, GoldenName>> = { roberta: "xlm-roberta", mt5: "t5" };

/** "config.json": the keys of new files; "config.legacy.json": those of published checkpoints. */
export const configNames = ["config.json", "config.legacy.json"] as const;
export type ConfigName = (typeof configNames)[number];

/** The configs of a case: one where published checkpoints have the keys of new files. */
export const configsOf = (name: CaseName): readonly ConfigName[] =>
  configNames.filter((config) => existsSync(join(folder, name, config)));

export interface Golden {
  readonly f32: Readonly<Record<string, Float32Array>>;
  readonly i32: Readonly<Record<string, Int32Array>>;
  /** Largest difference between a float32 and a float64 forward of transformers: of the logits, of hidden states. */
  readonly logitTolerance: number;
  readonly hiddenTolerance: number;
}

export async function readGolden(name: GoldenName): Promise<Golden> {
  const source = memorySource("golden.safetensors", await readFile(join(folder, name, "golden.safetensors")));
  const f32: Record<string, Float32Array> = {};
  const i32: Record<string, Int32Array> = {};
  for (const tensor of (await readSafetensors(source)).tensors.values()) {
    const { buffer } = await readTensor(source, tensor);
    if (tensor.dtype === "F32") f32[tensor.name] = new Float32Array(buffer);
    else i32[tensor.name] = new Int32Array(buffer);
  }
  const meta = JSON.parse(await readFile(join(folder, name, "meta.json"), "utf8")) as Record<string, number>;
  return {
    f32,
    i32,
    logitTolerance: meta.max_abs_logit_diff_f32_f64,
    hiddenTolerance: meta.max_abs_hidden_diff_f32_f64 ?? meta.max_abs_diff_f32_f64_all_outputs,
  };
}

export interface OpenCase extends AsyncDisposable {
  readonly model: Model;
  readonly store: ParameterStore;
}

/** The case's safetensors with one of its configs, in which `changes` replace keys. */
export async function caseFiles(
  name: GoldenName,
  configName: ConfigName = "config.json",
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Files & AsyncDisposable> {
  const files = await openModelFiles(join(folder, name));
  const published = join(folder, name, configName);
  const text = await readFile(existsSync(published) ? published : join(folder, name, "config.json"), "utf8");
  const config = { ...(JSON.parse(text) as Record<string, unknown>), ...changes };
  const { file, kind, tensors } = files;
  const read: Files["read"] = (...range) => files.read(...range);
  return { file, kind, tensors, config, read, [Symbol.asyncDispose]: () => files.close() };
}

/** The case opened: its model, and a store over its files. */
export async function openCase(...of: Parameters<typeof caseFiles>): Promise<OpenCase> {
  const files = await caseFiles(...of);
  const model = await readModelFiles(files);
  return { model, store: openFileStore(files, model), [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}
