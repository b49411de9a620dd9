// What a checkpoint is for other programs: the files of a model's folder as transformers reads it, or, where only an
// adapter is trained, those of an adapter's folder as PEFT reads it. Not here: what a run needs to go on (checkpoint.ts).
import type { SafetensorToWrite } from "../format/safetensors.ts";
import { weightState } from "../models/index.ts";
import { wordsFingerprint } from "./data/fingerprint.ts";
import { HEADS_FILE, headTensors } from "./heads.ts";
import { peftConfig, peftTensors } from "./peft-adapter.ts";
import type { PreparedRun } from "./prepared-run.ts";
import type { StartModel } from "./start-model.ts";
import { type SavedType, currentValues, savedTensors } from "./saved-tensors.ts";

export interface TrainedFiles {
  /** Tensors by the file that has them. */
  readonly weights: ReadonlyMap<string, readonly SafetensorToWrite[]>;
  /** Other files, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

type States = Readonly<Record<string, Float32Array>>;

const TORCH_TYPES = { f32: "float32", bf16: "bfloat16" } as const satisfies Record<SavedType, string>;

const json = (value: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** Of a model's folder; `valuesOf` gives a parameter's values, row-major. */
export function modelFiles(
  { model, config, files }: StartModel,
  valuesOf: (parameter: string) => Promise<Float32Array>,
  type: SavedType,
): TrainedFiles {
  return {
    weights: new Map([["model.safetensors", savedTensors(model, valuesOf, type)]]),
    files: new Map([...files, ["config.json", json({ ...config, torch_dtype: TORCH_TYPES[type] })]]),
  };
}

/** `states`: as they are when the tensors are written. */
export async function trainedFiles(prepared: PreparedRun, states: States): Promise<TrainedFiles> {
  const { adapter, recipe, start, store } = prepared;
  const { type } = recipe.checkpoint;
  const found = await headTensors(states, store);
  const heads = found.length > 0 ? [[HEADS_FILE, found] as const] : [];
  if (adapter === undefined) {
    const { weights, files } = modelFiles(start, (name) => currentValues(states, store, name), type);
    return { weights: new Map([...weights, ...heads]), files };
  }
  const trained = { ...adapter, valuesOf: (name: string): Float32Array => states[weightState(name)] };
  const words = { tokenizer: start.tokenizer, template: start.chosen.template };
  const templateFile = start.files.get("chat_template.jinja");
  return {
    weights: new Map([["adapter_model.safetensors", peftTensors(start.model, trained, type)], ...heads]),
    files: new Map([
      ["adapter_config.json", json(peftConfig(start.model, adapter, recipe.model as string))],
      ["liang.json", json({ version: 1, words: wordsFingerprint(words) })],
      ...(recipe.template !== undefined && templateFile !== undefined
        ? [["chat_template.jinja", templateFile] as const]
        : []),
    ]),
  };
}
