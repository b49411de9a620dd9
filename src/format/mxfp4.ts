// Stacks of matrices in microscaled blocks of four-bit floats: `name_blocks` (..., blocks, 16), two floats a byte, neighbours
// together, and `name_scales` (..., blocks), powers of two biased by 127. Seen as `name` (..., columns) in the blocks that
// GGUF has (numeric/mxfp4.ts): the same bits, where those have them. Source: transformers' integrations/mxfp4.py.
import { formats } from "../numeric/registry.ts";
import { type QuantizedMatrix, type QuantizedTensors, type ReadRows, tensorOf } from "./quantized-matrix.ts";
import type { SourceTensor, TensorSource } from "./tensor-source.ts";

const [BLOCKS, SCALES, TYPE] = ["_blocks", "_scales", "u8"];
/** Bytes of a block's floats in the file, and of a block as it is read. */
const FLOATS_BYTES = 16;
const { blockBytes: BLOCK_BYTES, blockSize: BLOCK_COLUMNS } = formats.mxfp4;

export async function mxfp4Matrices(files: TensorSource): Promise<QuantizedTensors> {
  const blocks = [...files.tensors.values()].filter(({ name, typeName }) => name.endsWith(BLOCKS) && typeName === TYPE);
  const matrices = blocks.map((tensor) => matrixOf(files, tensor));
  return { matrices, note: `${matrices.length} stacks of matrices of MXFP4, as they are.` };
}

function matrixOf(files: TensorSource, { name: blocksName, shape: blocksShape }: SourceTensor): QuantizedMatrix {
  const name = blocksName.slice(0, -BLOCKS.length);
  const scales = tensorOf(files, name + SCALES, blocksShape.slice(0, -1));
  const inRow = scales.shape.at(-1)!;
  const shape = [...scales.shape.slice(0, -1), inRow * BLOCK_COLUMNS];
  tensorOf(files, blocksName, [...scales.shape, FLOATS_BYTES]);
  const read: ReadRows = async (first, count) => {
    const blocks = count * inRow;
    const [floats, exponents] = [new Uint8Array(blocks * FLOATS_BYTES), new Uint8Array(blocks)];
    await files.read(blocksName, first * inRow * FLOATS_BYTES, floats);
    await files.read(scales.name, first * inRow, exponents);
    return turned(floats, exponents);
  };
  return {
    name,
    rows: shape.slice(0, -1).reduce((product, size) => product * size, 1),
    columns: shape.at(-1)!,
    shape,
    format: "mxfp4",
    tensors: [blocksName, scales.name],
    open: async () => read,
  };
}

/** The two tensors of a folder that a stack (..., columns) of GGUF's blocks is, and each one's bytes of some of its rows. */
export function mxfp4Tensors(name: string, shape: readonly number[]) {
  const scales = [...shape.slice(0, -1), shape.at(-1)! / BLOCK_COLUMNS];
  return [
    { name: name + BLOCKS, shape: [...scales, FLOATS_BYTES], bytesOf: floatsOf },
    { name: name + SCALES, shape: scales, bytesOf: exponentsOf },
  ] as const;
}

const exponentsOf = (blocks: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: blocks.length / BLOCK_BYTES }, (_, block) => blocks[block * BLOCK_BYTES]);

function floatsOf(blocks: Uint8Array): Uint8Array {
  const floats = new Uint8Array((blocks.length / BLOCK_BYTES) * FLOATS_BYTES);
  for (let at = 0; at < floats.length * 2; at++) {
    const [block, i] = [Math.floor(at / BLOCK_COLUMNS), at % BLOCK_COLUMNS];
    const byte = blocks[block * BLOCK_BYTES + 1 + (i & 15)];
    floats[at >> 1] |= (i < BLOCK_COLUMNS / 2 ? byte & 15 : byte >> 4) << (4 * (i & 1));
  }
  return floats;
}

/** Columns 2i and 2i + 1 share a byte in the file; i and i + 16 in a block. */
function turned(floats: Uint8Array, exponents: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(exponents.length * BLOCK_BYTES);
  for (const [block, exponent] of exponents.entries()) {
    const to = block * BLOCK_BYTES;
    blocks[to] = exponent;
    for (let i = 0; i < BLOCK_COLUMNS; i++) {
      const bits = (floats[block * FLOATS_BYTES + (i >> 1)] >> (4 * (i & 1))) & 15;
      blocks[to + 1 + (i & 15)] |= bits << (i < BLOCK_COLUMNS / 2 ? 0 : 4);
    }
  }
  return blocks;
}
