// The conversion's Hugging Face side: config.json, model.safetensors, the tokenizer's files, generation_config.json.
import { UnsupportedError } from "../base/errors.ts";
import type { ParameterStore } from "../device/executor.ts";
import { createFileWriter, joinPath, makeFolder, splitPath } from "#platform";
import { openFileStore, readRopeDivisors } from "../engine/file-store.ts";
import { mxfp4Tensors } from "../format/mxfp4.ts";
import { safetensorBytes, type SafetensorToWrite, writeSafetensors } from "../format/safetensors.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { readingToHf } from "./reading.ts";
import { type Meter, withProgress } from "./progress.ts";
import { samplingToHf } from "./sampling.ts";
import { settingsToHf } from "./settings.ts";
import type { Source } from "./source.ts";
import type { TensorPlan } from "./tensor-plan.ts";
import { planTensors } from "./tensors.ts";
import { tokenizerToHf } from "./tokenizer-to-hf.ts";
import type { ConvertOptions, ConvertType } from "./types.ts";
import { pieces, rounded, valuesAs } from "./values.ts";

/** safetensors' and transformers' names of the formats that a folder can hold. */
const DTYPES: Readonly<
  Partial<Record<FormatName, { readonly dtype: SafetensorToWrite["dtype"]; readonly torch: string }>>
> = {
  f64: { dtype: "F64", torch: "float64" },
  f32: { dtype: "F32", torch: "float32" },
  f16: { dtype: "F16", torch: "float16" },
  bf16: { dtype: "BF16", torch: "bfloat16" },
};

/** Writes the folder `path`. Throws UnsupportedError for packed weights that no type was chosen for. */
export async function writeHfFolder(
  path: string,
  source: Source,
  tokenizer: Tokenizer | undefined,
  { type = "keep", onProgress, signal }: ConvertOptions,
): Promise<readonly string[]> {
  const { model, files } = source;
  const plans = planTensors(model, files, "hf");
  const store = openFileStore(files, { parameters: new Map(plans.map((plan) => [plan.name, plan.source])) });
  checkFloats(source, plans, store);
  const main = type === "keep" ? store.parameters.get(plans[0].name)!.format : type; // plans[0] is the embedding
  const tensors: SafetensorToWrite[] = [];
  for (const plan of plans) {
    if (isStackOfMxfp4(plan, store)) {
      tensors.push(...stackTensors(plan, store));
      continue;
    }
    const format = await formatFor(plan, store, main, type);
    const { dtype } = DTYPES[format]!;
    tensors.push({ name: plan.name, dtype, shape: plan.shape, data: () => valuesAs(store, plan, format) });
  }
  const total = tensors.reduce((sum, tensor) => sum + safetensorBytes(tensor), 0);
  const meter: Meter = { label: "convert", total, onProgress, signal };

  await makeFolder(path);
  await using writer = await createFileWriter(joinPath(path, "model.safetensors"));
  await writeSafetensors(withProgress(writer, meter), tensors, { format: "pt" });
  await writer.finish();
  const writeJson = async (name: string, value: object): Promise<void> => {
    await using file = await createFileWriter(joinPath(path, name));
    await file.append(new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
    await file.finish();
  };
  const roles = tokenizer === undefined ? {} : roleIds(tokenizer);
  await writeJson("config.json", {
    ...settingsToHf(model, files, await readRopeDivisors(files)),
    torch_dtype: DTYPES[main]!.torch,
    ...(plans.some((plan) => isStackOfMxfp4(plan, store)) && { quantization_config: MXFP4_CONFIG }),
    ...roles,
  });
  for (const [name, value] of Object.entries(readingToHf(files.config, files.file, model))) {
    await makeFolder(splitPath(joinPath(path, name)).folder);
    await writeJson(name, value);
  }
  const notes = leftBehind(files.config);
  if (tokenizer === undefined) return ["The file has no tokenizer.", ...notes];
  const json = tokenizerToHf(files.config, files.file, tokenizer, model.window);
  await writeJson("tokenizer.json", json.tokenizer);
  await writeJson("tokenizer_config.json", json.tokenizerConfig);
  await writeJson("generation_config.json", { ...roles, ...samplingToHf(files.config) });
  return notes;
}

/** Metadata about the model that a folder has in no file that programs read. */
function leftBehind(metadata: Readonly<Record<string, unknown>>): string[] {
  const keys = Object.keys(metadata).filter((key) => ABOUT.test(key));
  return keys.length === 0 ? [] : [`Metadata that a folder has no place for was left out: ${keys.join(", ")}.`];
}
const ABOUT =
  /^general\.(?!(architecture|type|name|alignment|file_type|quantization_version)$|sampling\.(temp|top_k|top_p|min_p|penalty_repeat)$)/;

/** Folders hold stacks of experts in blocks of four-bit floats, and nothing else in blocks. */
const isStackOfMxfp4 = ({ name, source }: TensorPlan, store: ParameterStore): boolean =>
  source.joinedTurns !== undefined && store.parameters.get(name)!.format === "mxfp4";

/** As published models of the kind have it: everything but experts is left as it is. */
const MXFP4_CONFIG = {
  quant_method: "mxfp4",
  modules_to_not_convert: ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
};

function stackTensors({ name, shape }: TensorPlan, store: ParameterStore): SafetensorToWrite[] {
  return mxfp4Tensors(name, shape).map(({ bytesOf, ...tensor }) => ({
    ...tensor,
    dtype: "U8",
    async *data() {
      for await (const { bytes } of pieces(store, name)) yield bytesOf(bytes);
    },
  }));
}

function checkFloats({ files }: Source, plans: readonly TensorPlan[], store: ParameterStore): void {
  for (const plan of plans) {
    const { format, name } = files.tensors.get(plan.source.pieces[0].tensor)!;
    if (formats[format].blockSize === 1 || isStackOfMxfp4(plan, store)) continue;
    throw new UnsupportedError(`${files.file}: tensor ${name} is stored as ${format}, which no folder holds.`, {
      hint: "Decode the weights with --type f16, bf16 or f32.",
    });
  }
}

/**
 * GGUF holds vectors as f32 where the model's type is shorter: they go back to that type where not a bit is lost. A
 * gain less 1 is never rounded, since it could then not be had back.
 */
async function formatFor(
  plan: TensorPlan,
  store: ParameterStore,
  main: FormatName,
  type: ConvertType,
): Promise<FormatName> {
  const stored = store.parameters.get(plan.name)!.format;
  if (type !== "keep" && plan.change === undefined) return type;
  if (stored !== "f32" || main === "f32") return stored;
  for await (const piece of pieces(store, plan.name)) {
    const values = plan.change === undefined ? piece.values() : plan.change(piece.values());
    const after = new Uint32Array(rounded(values, main).buffer);
    if (new Uint32Array(values.buffer).some((bits, i) => bits !== after[i])) return "f32";
  }
  return main;
}

/** config.json's fields for tokens with a role. */
export function roleIds({ specials }: Tokenizer): Record<string, number | number[]> {
  const { bos, eos, eot, eom, pad } = specials;
  const ends = [...new Set([eos, eot, eom])].filter((id) => id !== undefined);
  return {
    ...(bos !== undefined && { bos_token_id: bos }),
    ...(ends.length > 0 && { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    ...(pad !== undefined && { pad_token_id: pad }),
  };
}
