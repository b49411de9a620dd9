// Adapters made for a model from a seed, as files of either kind have them, and the model's own weights with one folded in:
// what an attached adapter is compared with.
import type { ParameterStore } from "../../src/device/executor.ts";
import type { Files } from "../../src/engine/file-store.ts";
import { projectionsOf } from "../../src/models/adapter.ts";
import { interleavedRow } from "../../src/models/loading.ts";
import type { Model, WeightRow } from "../../src/models/model.ts";
import type { LoraSettings } from "../../src/nn/index.ts";
import { bytesForRow, formats } from "../../src/numeric/registry.ts";
import { mergedWeight } from "../../src/train/merged-adapter.ts";
import { randomFloats } from "../cpu/stores.ts";

export interface AdapterSpec {
  readonly seed: number;
  readonly rank: number;
  readonly kind: "hf" | "gguf";
  readonly alpha: number;
  readonly rankStabilised?: boolean;
  /** DoRA. */
  readonly magnitude?: boolean;
  readonly adapts?: (projection: string) => boolean;
  /** How large B is. */
  readonly size?: number;
}

interface OneProjection {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly magnitude?: Float32Array;
}

export interface MadeAdapter {
  readonly files: Files;
  readonly tensors: ReadonlyMap<string, { readonly shape: number[]; readonly values: Float32Array }>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly settings: LoraSettings;
  readonly projections: ReadonlyMap<string, OneProjection>;
}

export function makeAdapter(model: Model, spec: AdapterSpec): MadeAdapter {
  const { kind, rank, alpha, rankStabilised = false, magnitude = false, adapts = () => true, size = 0.1 } = spec;
  let seed = spec.seed * 1000;
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  const put = (name: string, shape: number[], make: () => Float32Array): Float32Array => {
    const known = tensors.get(name) ?? { shape, values: make() };
    tensors.set(name, known);
    return known.values;
  };
  const random = (count: number, scale: number) => () => randomFloats(seed++, count, scale);
  const projections = new Map<string, OneProjection>();
  const modules = new Set<string>();
  const rowOf = (name: string): WeightRow => model.weightRows.find(({ parameter }) => parameter === `${name}.weight`)!;
  const names = projectionsOf(model);
  // what is fused in the files is adapted together
  const adapted = new Set(names.filter(adapts).map((name) => rowOf(name).hf));
  for (const name of names.filter((name) => adapted.has(rowOf(name).hf))) {
    const row = rowOf(name);
    const [outer, inner] = row.shape;
    const all = row.part?.of ?? outer;
    const module = row.hf.replace(/\.weight$/, "");
    modules.add(module.split(".").at(-1)!);
    const stem = kind === "hf" ? `base_model.model.${module}.lora_` : `${row.gguf}.lora_`;
    const a = put(kind === "hf" ? `${stem}A.weight` : `${stem}a`, [rank, inner], random(rank * inner, 0.3));
    const b = put(kind === "hf" ? `${stem}B.weight` : `${stem}b`, [all, rank], random(all * rank, size));
    const lengths = magnitude
      ? put(`${stem}magnitude_vector`, [all], () => random(all, 0.2)().map((value) => 0.5 + Math.abs(value)))
      : undefined;
    const headSize = kind === "gguf" ? row.ggufInterleaved : undefined;
    const rowAt = (i: number): number =>
      (row.part?.first ?? 0) + (headSize === undefined ? i : interleavedRow(i, headSize));
    const rows = Array.from({ length: outer }, (_, i) => rowAt(i));
    projections.set(name, {
      a,
      b: Float32Array.from(rows.flatMap((at) => Array.from(b.subarray(at * rank, (at + 1) * rank)))),
      ...(lengths !== undefined && { magnitude: Float32Array.from(rows, (at) => lengths[at]) }),
    });
  }
  const config =
    kind === "hf"
      ? {
          peft_type: "LORA",
          r: rank,
          lora_alpha: alpha,
          target_modules: [...modules],
          bias: "none",
          use_rslora: rankStabilised,
          use_dora: magnitude,
          modules_to_save: null,
        }
      : { "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": alpha };
  const files: Files = {
    file: `adapter ${spec.seed}`,
    kind,
    config,
    tensors: new Map(
      [...tensors].map(([name, { shape, values }]) => [
        name,
        { name, shape, format: "f32", typeName: "f32", byteLength: values.byteLength },
      ]),
    ),
    async read(name, at, into) {
      const { buffer, byteOffset } = tensors.get(name)!.values;
      into.set(new Uint8Array(buffer, byteOffset + at, into.byteLength));
    },
  };
  const settings = { rank, alpha, rankStabilised, magnitude, adapts };
  return { files, tensors, config, settings, projections };
}

/** The store with the adapter folded into its weights, which are f32 then. */
export async function mergedStore(store: ParameterStore, adapter: MadeAdapter): Promise<ParameterStore> {
  const merged = new Map<string, Float32Array>();
  for (const [projection, parts] of adapter.projections) {
    const name = `${projection}.weight`;
    const { rows, columns, format } = store.parameters.get(name)!;
    const bytes = new Uint8Array(rows * bytesForRow(format, columns));
    await store.readRows(name, 0, bytes);
    const weight = formats[format].decode(bytes, rows * columns);
    merged.set(name, mergedWeight({ ...parts, weight }, adapter.settings));
  }
  return {
    parameters: new Map(
      [...store.parameters].map(([name, stored]) => {
        const values = merged.get(name);
        return [name, values === undefined ? stored : { ...stored, format: "f32", byteLength: values.byteLength }];
      }),
    ),
    async readRows(name, firstRow, into) {
      const values = merged.get(name);
      if (values === undefined) return await store.readRows(name, firstRow, into);
      const { columns } = store.parameters.get(name)!;
      into.set(new Uint8Array(values.buffer, values.byteOffset + firstRow * columns * 4, into.byteLength));
    },
  };
}
