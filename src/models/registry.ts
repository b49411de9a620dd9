// The families, one row each: config's `model_type`, GGUF's `general.architecture`, and the reader in the family's file.
import { UnsupportedError, show } from "../base/errors.ts";
import { baichuan } from "./baichuan.ts";
import { bert, roberta, xlmRoberta } from "./bert.ts";
import { chatglm } from "./chatglm.ts";
import { deepseek } from "./deepseek.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3Text } from "./gemma3_text.ts";
import { glm, glm4 } from "./glm.ts";
import { gpt2 } from "./gpt2.ts";
import { gptOss } from "./gpt_oss.ts";
import { hunyuanV1Dense } from "./hunyuan_v1_dense.ts";
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
import { t5 } from "./t5.ts";
import { qwen3Moe } from "./qwen3_moe.ts";

/** A model that is to be made, by what a `config.json` would say. Throws as `readModel` does. */
export const newModel = (config: ModelFacts["config"]): Model =>
  readModel({ file: "the config", kind: "hf", config, tensors: new Map(), isNew: true });

interface FamilyRow {
  readonly hf: string;
  /** Absent: llama.cpp has no name for it, so there are no GGUF files of it. */
  readonly gguf?: string;
  readonly read: (facts: ModelFacts) => Model;
}

const families: readonly FamilyRow[] = [
  { hf: "llama", gguf: "llama", read: llama },
  { hf: "mistral", read: mistral }, // llama in GGUF
  { hf: "qwen2", gguf: "qwen2", read: qwen2 },
  { hf: "qwen3", gguf: "qwen3", read: qwen3 },
  { hf: "mixtral", read: mixtral },
  { hf: "gpt_oss", gguf: "gpt-oss", read: gptOss },
  { hf: "qwen2_moe", gguf: "qwen2moe", read: qwen2Moe },
  { hf: "qwen3_moe", gguf: "qwen3moe", read: qwen3Moe },
  { hf: "gemma", gguf: "gemma", read: gemma },
  { hf: "gemma2", gguf: "gemma2", read: gemma2 },
  { hf: "gemma3_text", gguf: "gemma3", read: gemma3Text },
  { hf: "phi3", gguf: "phi3", read: phi3 },
  { hf: "deepseek_v2", gguf: "deepseek2", read: deepseek },
  { hf: "deepseek_v3", read: deepseek },
  { hf: "gpt2", gguf: "gpt2", read: gpt2 },
  { hf: "openai-gpt", read: openaiGpt },
  { hf: "baichuan", gguf: "baichuan", read: baichuan },
  { hf: "chatglm", gguf: "chatglm", read: chatglm }, // GGUF files of glm too
  { hf: "glm", gguf: "chatglm", read: glm },
  { hf: "glm4", gguf: "glm4", read: glm4 },
  { hf: "hunyuan_v1_dense", gguf: "hunyuan-dense", read: hunyuanV1Dense },
  { hf: "marian", read: marian },
  { hf: "bert", gguf: "bert", read: bert }, // all three from GGUF
  { hf: "roberta", gguf: "bert", read: roberta },
  { hf: "xlm-roberta", gguf: "bert", read: xlmRoberta },
  { hf: "t5", gguf: "t5", read: t5 },
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
