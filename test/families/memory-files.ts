// Model files made in memory: of plain arrays as an HF folder would hold them, and of real GGUF bytes.
import { memorySource } from "../../src/base/source.ts";
import { type Files, openFileStore, readModelFiles } from "../../src/engine/file-store.ts";
import { readGguf } from "../../src/format/gguf-reader.ts";
import { type GgufEntry, formatOfType, plainMetadata, tensorTypeName } from "../../src/format/gguf-types.ts";
import { writeGguf } from "../../src/format/gguf-writer.ts";
import { tensorAccess } from "../../src/format/tensor-source.ts";
import type { OpenCase } from "./cases.ts";

/** A tensor's values, outermost size first. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

export type Tensors = ReadonlyMap<string, Values>;
type Config = Readonly<Record<string, unknown>>;

const bytesOf = ({ values }: Values): Uint8Array<ArrayBuffer> => new Uint8Array(values.buffer);

/** All tensors of a model, which must be small and f32. */
export async function allTensors(files: Files): Promise<Map<string, Values>> {
  const tensors = new Map<string, Values>();
  for (const { name, shape } of files.tensors.values()) {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    await files.read(name, 0, new Uint8Array(values.buffer));
    tensors.set(name, { shape, values });
  }
  return tensors;
}

/** Files as a folder with this config and these tensors would give them. */
export function hfFiles(config: Config, tensors: Tensors): Files {
  const placed = [...tensors].map(([name, values]) => ({
    name,
    shape: values.shape,
    typeName: "f32",
    format: "f32" as const,
    byteLength: values.values.byteLength,
    source: memorySource(name, bytesOf(values)),
    offset: 0,
  }));
  return { ...tensorAccess("folder", [], placed), kind: "hf", config };
}

/** Files as GGUF bytes with this metadata give them, written and read again. */
export async function ggufFiles(entries: ReadonlyMap<string, GgufEntry>, tensors: Tensors): Promise<Files> {
  const pieces: Uint8Array[] = [];
  await writeGguf(
    { append: async (bytes) => void pieces.push(bytes.slice()) },
    {
      entries,
      tensors: [...tensors].map(([name, values]) => ({
        name,
        shape: values.shape,
        format: "f32",
        data: () => [bytesOf(values)],
      })),
    },
  );
  const source = memorySource("twin.gguf", new Uint8Array(Buffer.concat(pieces)));
  const header = await readGguf(source);
  const placed = header.tensors.map((tensor) => ({
    ...tensor,
    typeName: tensorTypeName(tensor.ggmlType),
    format: formatOfType(tensor.ggmlType),
    source,
  }));
  return { ...tensorAccess("twin.gguf", [source], placed), kind: "gguf", config: plainMetadata(header.entries) };
}

export async function openFiles(files: Files): Promise<Omit<OpenCase, typeof Symbol.asyncDispose>> {
  const model = await readModelFiles(files);
  return { model, store: openFileStore(files, model) };
}
