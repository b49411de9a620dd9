// What a method's file makes of a folder's tensors (quantized-tensors.ts), and how it reads them.
import { FormatError } from "../base/errors.ts";
import type { FormatName } from "../numeric/registry.ts";
import type { SourceTensor, TensorSource } from "./tensor-source.ts";

/** One matrix that several tensors hold. */
export interface QuantizedMatrix {
  /** "model.layers.0.mlp.down_proj.weight". */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Where it is a stack of matrices; default: rows, columns. */
  readonly shape?: readonly number[];
  readonly format: FormatName;
  /** The tensors that it replaces. */
  readonly tensors: readonly string[];
  /** Gives rows in the format; asked for rows near each other, one matrix after another. */
  open(): Promise<ReadRows>;
}

/** Rows [first, first + count) in the matrix's format. */
export type ReadRows = (first: number, count: number) => Promise<Uint8Array>;

/** What a method's file makes of a folder. */
export interface QuantizedTensors {
  readonly matrices: readonly QuantizedMatrix[];
  /** Tensors that say nothing of weights, such as scales of activations. */
  readonly unused?: readonly string[];
  /** What was done, a sentence. */
  readonly note: string;
}

export type Settings = Readonly<Record<string, unknown>>;
/** The tensor, of that shape. Throws FormatError. */
export function tensorOf(files: TensorSource, name: string, shape?: readonly number[]): SourceTensor {
  const tensor = files.tensors.get(name);
  if (tensor === undefined) throw new FormatError(files.file, `tensor ${name}`, "missing", "one beside its codes");
  if (shape !== undefined && JSON.stringify(tensor.shape) !== JSON.stringify(shape)) {
    throw new FormatError(files.file, `shape of ${name}`, [...tensor.shape], JSON.stringify(shape));
  }
  return tensor;
}

/** All bytes of a tensor. */
export async function bytesOf(
  files: TensorSource,
  { name, byteLength = 0 }: SourceTensor,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(byteLength);
  await files.read(name, 0, bytes);
  return bytes;
}
