// The families, one row each: config's `model_type`, GGUF's `general.architecture`, and the reader in the family's file.
// docs/families.md is made of them (scripts/families-page.ts).
import { UnsupportedError, show } from "../base/errors.ts";
import { baichuan } from "./baichuan.ts";
import { bert, roberta, xlmRoberta } from "./bert.ts";
import { chatglm } from "./chatglm.ts";
import { clip } from "./clip.ts";
import { deepseek } from "./deepseek.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3Text } from "./gemma3_text.ts";
import { glm, glm4 } from "./glm.ts";
import { gpt2 } from "./gpt2.ts";
import { gptOss } from "./gpt_oss.ts";
import { hunyuanV1Dense } from "./hunyuan_v1_dense.ts";
import { hunyuanV1Moe } from "./hunyuan_v1_moe.ts";
import { llama } from "./llama.ts";
import { marian } from "./marian.ts";
import { mistral } from "./mistral.ts";
import { mixtral } from "./mixtral.ts";
import type { Model, ModelFacts } from "./model.ts";
import { openaiGpt } from "./openai-gpt.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen2Moe } from "./qwen2_moe.ts";
import { qwen3 } from "./qwen3.ts";
import { mt5, t5 } from "./t5.ts";
import { qwen3Moe } from "./qwen3_moe.ts";
import { vit } from "./vit.ts";

/** A model that is to be made, by what a `config.json` would say. Throws as `readModel` does. */
export const newModel = (config: ModelFacts["config"]): Model =>
  readModel({ file: "the config", kind: "hf", config, tensors: new Map(), isNew: true });

export interface FamilyRow {
  readonly hf: string;
  /** Absent: no GGUF files name it so; they have another family's name, or there are none. */
  readonly gguf?: string;
  readonly read: (facts: ModelFacts) => Model;
  /** Models of it that people know, for documentation. */
  readonly known: string;
}

export const families: readonly FamilyRow[] = [
  {
    hf: "llama",
    gguf: "llama",
    read: llama,
    known: "Llama 1 to 3.3, Code Llama, Vicuna, Yi, TinyLlama, SmolLM2, DeepSeek Coder, DeepSeek-R1-Distill-Llama",
  },
  { hf: "mistral", read: mistral, known: "Mistral 7B, Mistral Nemo, Zephyr 7B, WizardLM 2 7B" }, // llama in GGUF
  { hf: "qwen2", gguf: "qwen2", read: qwen2, known: "Qwen 1.5, 2 and 2.5, QwQ 32B, DeepSeek-R1-Distill-Qwen" },
  { hf: "qwen3", gguf: "qwen3", read: qwen3, known: "Qwen3 0.6B to 32B, Qwen3-Embedding" },
  { hf: "mixtral", read: mixtral, known: "Mixtral 8x7B and 8x22B, WizardLM 2 8x22B" },
  { hf: "gpt_oss", gguf: "gpt-oss", read: gptOss, known: "gpt-oss 20B and 120B" },
  { hf: "qwen2_moe", gguf: "qwen2moe", read: qwen2Moe, known: "Qwen1.5-MoE-A2.7B, Qwen2-57B-A14B" },
  { hf: "qwen3_moe", gguf: "qwen3moe", read: qwen3Moe, known: "Qwen3-30B-A3B, Qwen3-235B-A22B" },
  { hf: "gemma", gguf: "gemma", read: gemma, known: "Gemma 2B and 7B, CodeGemma" },
  { hf: "gemma2", gguf: "gemma2", read: gemma2, known: "Gemma 2 2B, 9B and 27B" },
  { hf: "gemma3_text", gguf: "gemma3", read: gemma3Text, known: "Gemma 3 270M and 1B" },
  { hf: "phi3", gguf: "phi3", read: phi3, known: "Phi-3, Phi-3.5 mini, Phi-4, Phi-4 mini" },
  { hf: "deepseek_v2", gguf: "deepseek2", read: deepseek, known: "DeepSeek-V2, V2-Lite and V2.5, DeepSeek-Coder-V2" },
  { hf: "deepseek_v3", read: deepseek, known: "DeepSeek-V3, DeepSeek-R1, Moonlight" },
  { hf: "gpt2", gguf: "gpt2", read: gpt2, known: "GPT-2, DistilGPT-2" },
  { hf: "openai-gpt", read: openaiGpt, known: "GPT-1" },
  { hf: "baichuan", gguf: "baichuan", read: baichuan, known: "Baichuan 7B and 13B, Baichuan2" },
  { hf: "chatglm", gguf: "chatglm", read: chatglm, known: "ChatGLM2, ChatGLM3, the first GLM-4-9B" }, // GGUF files of glm too
  { hf: "glm", gguf: "chatglm", read: glm, known: "GLM-4-9B in transformers' own form, GLM-Edge" },
  { hf: "glm4", gguf: "glm4", read: glm4, known: "GLM-4-0414, GLM-Z1" },
  { hf: "hunyuan_v1_dense", gguf: "hunyuan-dense", read: hunyuanV1Dense, known: "Hunyuan 0.5B to 7B" },
  { hf: "hunyuan_v1_moe", gguf: "hunyuan-moe", read: hunyuanV1Moe, known: "Hunyuan-A13B" },
  { hf: "marian", read: marian, known: "OPUS-MT" },
  { hf: "bert", gguf: "bert", read: bert, known: "BERT, all-MiniLM, bge v1.5, e5" }, // all three from GGUF
  { hf: "roberta", gguf: "bert", read: roberta, known: "RoBERTa, all-distilroberta" },
  {
    hf: "xlm-roberta",
    gguf: "bert",
    read: xlmRoberta,
    known: "XLM-RoBERTa, bge-m3, bge-reranker-v2-m3, multilingual-e5",
  },
  { hf: "t5", gguf: "t5", read: t5, known: "T5, T5 v1.1, FLAN-T5" },
  { hf: "mt5", read: mt5, known: "mT5" }, // t5 in GGUF
  { hf: "clip", read: clip, known: "CLIP ViT-B/32, B/16 and L/14, LAION's CLIP" },
  { hf: "vit", read: vit, known: "ViT base and large, image classifiers made of them" },
];

/**
 * The model that a file describes. Throws UnsupportedError for a family or an option that Liang does not know,
 * FormatError for a config or tensors that do not fit together; either names the field.
 */
export function readModel(facts: ModelFacts): Model {
  const key = facts.kind === "hf" ? "model_type" : "general.architecture";
  const name = facts.config[key];
  const row = families.find((family) => name !== undefined && family[facts.kind] === name);
  if (row !== undefined) return row.read(facts);
  const known = [...new Set(families.flatMap((family) => family[facts.kind] ?? []))].join(", ");
  throw new UnsupportedError(`${facts.file}: ${key} is ${show(name)}. Liang knows ${known}.`);
}
