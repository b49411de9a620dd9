// The conversion's GGUF side: metadata, and tensors as llama.cpp's converter would store them.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { createFileWriter } from "#platform";
import { openFileStore } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { tensorBytes, writeGguf } from "../format/gguf-writer.ts";
import type { FormatName } from "../numeric/registry.ts";
import { count, text } from "./entries.ts";
import { type Meter, withProgress } from "./progress.ts";
import type { Source } from "./source.ts";
import { planTensors } from "./tensors.ts";
import type { ConvertOptions, ConvertType } from "./types.ts";
import { valuesAs } from "./values.ts";

/** A tensor that the model's files have in another way: rope divisors. */
export interface ExtraTensor {
  readonly name: string;
  readonly values: Float32Array<ArrayBuffer>;
}

/** What GGUF files say of themselves by `general.file_type` (llama.cpp's LLAMA_FTYPE). */
const FILE_TYPES: Readonly<Partial<Record<FormatName, number>>> = { f32: 0, f16: 1, bf16: 32 };

/** Writes `path` whole, or nothing. Throws UnsupportedError for numbers that the format cannot hold. */
export async function writeGgufFile(
  path: string,
  source: Source,
  given: ReadonlyMap<string, GgufEntry>,
  extra: readonly ExtraTensor[],
  { type = "keep", metadata = {}, onProgress, signal }: ConvertOptions,
): Promise<void> {
  const plans = planTensors(source.model, source.files, "gguf");
  const store = openFileStore(source.files, { parameters: new Map(plans.map((plan) => [plan.name, plan.source])) });
  const tensors = plans.map((plan) => ({
    plan,
    format: plan.alwaysF32 ? "f32" : formatFor(type, plan.name, store.parameters.get(plan.name)!.format),
  }));
  const entries = new Map([...given, ...fileType(tensors), ...userEntries(metadata)]);
  const total = tensors.reduce((sum, { plan, format }) => sum + tensorBytes({ shape: plan.shape, format }), 0);
  const meter: Meter = { label: "convert", total, onProgress, signal };

  await using writer = await createFileWriter(path);
  await writeGguf(withProgress(writer, meter), {
    entries,
    tensors: [
      ...extra.map(({ name, values }) => ({
        name,
        shape: [values.length],
        format: "f32" as const,
        data: () => [new Uint8Array(values.buffer)],
      })),
      ...tensors.map(({ plan, format }) => ({
        name: plan.name,
        shape: plan.shape,
        format,
        data: () => valuesAs(store, plan, format),
      })),
    ],
  });
  await writer.finish();
}

function formatFor(type: ConvertType, name: string, stored: FormatName): FormatName {
  if (type !== "keep") return type;
  if (stored !== "f64") return stored;
  throw new UnsupportedError(`Tensor ${name} is f64, which no GGUF model holds.`, { hint: "Take --type f32." });
}

/** By the type that most numbers have. */
function fileType(
  tensors: readonly { readonly plan: { readonly shape: readonly number[] }; readonly format: FormatName }[],
): [string, GgufEntry][] {
  const sizes = new Map<FormatName, number>();
  for (const { plan, format } of tensors) {
    const size = plan.shape.reduce((product, n) => product * n, 1);
    sizes.set(format, (sizes.get(format) ?? 0) + size);
  }
  const [most] = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a));
  const number = FILE_TYPES[most];
  return number === undefined ? [] : [["general.file_type", count(number)]];
}

const USER_KEY = /^general\.(?!architecture$|type$|alignment$|file_type$|quantization_version$)[a-z0-9_.]+$/;

function userEntries(metadata: Readonly<Record<string, string>>): [string, GgufEntry][] {
  return Object.entries(metadata).map(([key, value]) => {
    if (USER_KEY.test(key)) return [key, text(value)];
    throw new UsageError(`The metadata key ${JSON.stringify(key)} cannot be set.`, {
      field: "metadata",
      hint: "Texts such as general.name, general.license, general.description can.",
    });
  });
}
