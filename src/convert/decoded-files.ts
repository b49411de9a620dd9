// Model files in which every tensor of blocks is seen as f32: blocks are decoded as they are read.
import { ShapeError } from "../base/errors.ts";
import type { SourceTensor, TensorSource } from "../format/tensor-source.ts";
import { formats } from "../numeric/registry.ts";

const F32_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** A view of `files`; closing it closes them. */
export function decodedFiles(files: TensorSource): TensorSource {
  const inBlocks = new Map<string, SourceTensor>();
  for (const tensor of files.tensors.values()) {
    if (formats[tensor.format].blockSize > 1) inBlocks.set(tensor.name, tensor);
  }
  const close = (): Promise<void> => files.close();
  return {
    ...files,
    tensors: new Map([...files.tensors].map(([name, tensor]) => [name, inBlocks.has(name) ? asF32(tensor) : tensor])),
    async read(name, byteOffset, into) {
      const tensor = inBlocks.get(name);
      if (tensor === undefined) return await files.read(name, byteOffset, into);
      const format = formats[tensor.format];
      const { blockSize, blockBytes } = format;
      const first = byteOffset / F32_BYTES;
      const count = into.byteLength / F32_BYTES;
      if (!Number.isInteger(first) || !Number.isInteger(count)) {
        throw new ShapeError(`bytes of ${name}`, [byteOffset, into.byteLength], "whole f32 values");
      }
      const firstBlock = Math.floor(first / blockSize);
      const blocks = Math.ceil((first + count) / blockSize) - firstBlock;
      const bytes = new Uint8Array(blocks * blockBytes);
      await files.read(name, firstBlock * blockBytes, bytes);
      const skipped = first - firstBlock * blockSize;
      const values = format.decode(bytes, blocks * blockSize).subarray(skipped, skipped + count);
      into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function asF32({ name, shape }: SourceTensor): SourceTensor {
  const byteLength = shape.reduce((product, size) => product * size, F32_BYTES);
  return { name, shape, format: "f32", typeName: "f32", byteLength, inBlocks: true };
}
