// A trained adapter → the tensors and the config of a folder as PEFT writes it. Projections that a file has fused in one
// tensor (gpt2, phi3) have adapters of their own here and one for the whole tensor there: their A one under the other, their
// B in blocks of its rows and columns, so its rank is the sum of theirs. Not here: reading one (models/adapter.ts).
import type { SafetensorToWrite } from "../format/safetensors.ts";
import type { Model, WeightRow } from "../models/index.ts";
import { fileRows } from "../models/loading.ts";
import { type LoraSettings, loraWeights } from "../nn/index.ts";
import { formats } from "../numeric/registry.ts";
import { DTYPES, type SavedType } from "./saved-tensors.ts";

export interface TrainedAdapter {
  readonly settings: LoraSettings;
  /** By name: "layers.0.attention.query". */
  readonly projections: readonly string[];
  /** Of A (R, K), B (M, R), magnitudes (M) by their names. */
  readonly valuesOf: (weight: string) => Float32Array;
}

/** The projections of one tensor of a file, by the tensor's module. */
interface Module {
  readonly name: string;
  readonly parts: readonly { readonly projection: string; readonly row: WeightRow }[];
}

function modulesOf({ weightRows }: Pick<Model, "weightRows">, projections: readonly string[]): Module[] {
  const rows = new Map(weightRows.map((row) => [row.parameter, row]));
  const modules = new Map<string, Module>();
  for (const projection of projections) {
    const row = rows.get(`${projection}.weight`)!;
    const name = row.hf.replace(/\.weight$/, "");
    modules.set(name, { name, parts: [...(modules.get(name)?.parts ?? []), { projection, row }] });
  }
  return [...modules.values()];
}

/** The tensors of `adapter_model.safetensors`, by PEFT's names. */
export function peftTensors(
  model: Pick<Model, "weightRows">,
  { settings, projections, valuesOf }: TrainedAdapter,
  type: SavedType,
): SafetensorToWrite[] {
  const { rank, magnitude = false } = settings;
  const tensor = (name: string, shape: number[], values: Float32Array): SafetensorToWrite => ({
    name,
    dtype: DTYPES[type],
    shape,
    data: () => [formats[type].encode!(values)],
  });
  return modulesOf(model, projections).flatMap(({ name, parts }) => {
    const [{ row }] = parts;
    const [outer, inner] = [fileRows(row, "hf").count, row.shape[1]];
    const all = rank * parts.length;
    const a = new Float32Array(all * inner);
    const b = new Float32Array(outer * all);
    const magnitudes = new Float32Array(outer);
    for (const [i, { projection, row: its }] of parts.entries()) {
      const names = loraWeights(projection);
      const { rowAt } = fileRows(its, "hf");
      a.set(valuesOf(names.a), i * rank * inner);
      const values = valuesOf(names.b);
      for (let m = 0; m < its.shape[0]; m++) {
        b.set(values.subarray(m * rank, (m + 1) * rank), rowAt(m) * all + i * rank);
        if (magnitude) magnitudes[rowAt(m)] = valuesOf(names.magnitude)[m];
      }
    }
    const module = `base_model.model.${name}`;
    return [
      tensor(`${module}.lora_A.weight`, [all, inner], a),
      tensor(`${module}.lora_B.weight`, [outer, all], b),
      ...(magnitude ? [tensor(`${module}.lora_magnitude_vector`, [outer], magnitudes)] : []),
    ];
  });
}

/** `adapter_config.json`. `base`: the name or path of the model that it was trained beside. */
export function peftConfig(
  model: Pick<Model, "weightRows">,
  { settings, projections }: Pick<TrainedAdapter, "settings" | "projections">,
  base: string,
): Record<string, unknown> {
  const { rank, alpha, rankStabilised = false, magnitude = false } = settings;
  const modules = modulesOf(model, projections);
  const fused = modules.filter(({ parts }) => parts.length > 1);
  /** Of a module of several parts, whose rank is that many times as large: the same factor. */
  const alphaOf = (parts: number): number => alpha * (rankStabilised ? Math.sqrt(parts) : parts);
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: modules.map(({ name }) => name),
    rank_pattern: Object.fromEntries(fused.map(({ name, parts }) => [name, rank * parts.length])),
    alpha_pattern: Object.fromEntries(fused.map(({ name, parts }) => [name, alphaOf(parts.length)])),
    bias: "none",
    fan_in_fan_out: modules.some(({ parts }) => parts[0].row.hfTransposed === true),
    use_rslora: rankStabilised,
    use_dora: magnitude,
    init_lora_weights: true,
    modules_to_save: null,
    inference_mode: true,
  };
}
