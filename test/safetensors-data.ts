// Reads tensors of a safetensors file of test data into plain typed arrays.
import { readFileSync } from "node:fs";
import { memorySource } from "../src/base/source.ts";
import { readSafetensors, readTensor } from "../src/format/safetensors.ts";

export interface DataTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The bytes as f32. */
  readonly f32: Float32Array<ArrayBuffer>;
  /** The bytes as i32. */
  readonly i32: Int32Array<ArrayBuffer>;
}

/** All tensors of a file by name. */
export async function readData(path: string): Promise<Record<string, DataTensor>> {
  const source = memorySource(path, readFileSync(path));
  const { tensors } = await readSafetensors(source);
  const read: [string, DataTensor][] = [];
  for (const tensor of tensors.values()) {
    const bytes = await readTensor(source, tensor);
    const words = bytes.byteLength >> 2;
    const { buffer } = bytes;
    read.push([
      tensor.name,
      {
        dtype: tensor.dtype,
        shape: tensor.shape,
        bytes,
        f32: new Float32Array(buffer, 0, words),
        i32: new Int32Array(buffer, 0, words),
      },
    ]);
  }
  return Object.fromEntries(read);
}
