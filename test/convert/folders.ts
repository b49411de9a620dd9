// Model files for the converter's tests: golden cases as folders on disk, in any float type, and what is in files.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { type SafetensorToWrite, writeSafetensors } from "../../src/format/safetensors.ts";
import { formats } from "../../src/numeric/registry.ts";
import { type CaseName, type ConfigName, configsOf } from "../families/cases.ts";

const families = resolve(import.meta.dirname, "../golden/families");

export interface Folder extends AsyncDisposable {
  readonly path: string;
  at(name: string): string;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "liang-convert-"));
  return {
    path,
    at: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const dtypes = { f32: "F32", f16: "F16", bf16: "BF16" } as const;
export type FloatName = keyof typeof dtypes;

/** Writes a golden case to `folder` with the given config, its weights rounded to `type`. */
export async function writeCase(
  folder: string,
  name: CaseName,
  configName: ConfigName = "config.json",
  type: FloatName = "f32",
): Promise<void> {
  const config = configsOf(name).includes(configName) ? configName : "config.json";
  await cp(join(families, name, config), join(folder, "config.json"));
  const tensors: SafetensorToWrite[] = [];
  await using files = await openModelFiles(join(families, name));
  for (const tensor of files.tensors.values()) {
    const bytes = new Uint8Array(tensor.byteLength!);
    await files.read(tensor.name, 0, bytes);
    const values = formats.f32.decode(bytes, bytes.byteLength / 4);
    const data = (): Uint8Array[] => [formats[type].encode!(values)];
    tensors.push({ name: tensor.name, shape: tensor.shape, dtype: dtypes[type], data });
  }
  const pieces: Uint8Array[] = [];
  await writeSafetensors({ append: async (piece) => void pieces.push(piece.slice()) }, tensors, { format: "pt" });
  await writeFile(join(folder, "model.safetensors"), Buffer.concat(pieces));
}

/** Name → type and bytes of every tensor of a model. */
export async function allBytes(path: string): Promise<Map<string, { readonly type: string; readonly hex: string }>> {
  await using files = await openModelFiles(path);
  const all = new Map<string, { readonly type: string; readonly hex: string }>();
  for (const tensor of files.tensors.values()) {
    const bytes = new Uint8Array(tensor.byteLength!);
    await files.read(tensor.name, 0, bytes);
    all.set(tensor.name, { type: tensor.typeName, hex: Buffer.from(bytes).toString("hex") });
  }
  return all;
}

export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
}
