// Matrices in FP8 (e4m3) with f32 scales: X.weight (M, K), and X.weight_scale_inv for each block of `weight_block_size` rows
// and columns (DeepSeek-AI 2024, "DeepSeek-V3", 3.3), or X.weight_scale for all of it; w = code * scale. They become bf16,
// each value rounded once, as their makers' own conversion does.
import { bf16 } from "../numeric/bf16.ts";
import { f8E4m3Values } from "../numeric/f8-e4m3.ts";
import { formats } from "../numeric/registry.ts";
import { unsupported } from "./gptq.ts";
import { type QuantizedMatrix, type QuantizedTensors, type Settings, bytesOf, tensorOf } from "./quantized-matrix.ts";
import type { SourceTensor, TensorSource } from "./tensor-source.ts";

const TYPE = "f8_e4m3";
const BLOCK = [128, 128];

export async function fp8Matrices(files: TensorSource, settings: Settings): Promise<QuantizedTensors> {
  const { fmt = "e4m3", weight_block_size: block } = settings;
  if (fmt !== "e4m3") throw unsupported(files, "fmt", fmt, "e4m3");
  const sizes = block ?? BLOCK;
  if (!Array.isArray(sizes) || sizes.length !== 2 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw unsupported(files, "weight_block_size", block, "two sizes");
  }
  const matrices: QuantizedMatrix[] = [];
  for (const tensor of files.tensors.values()) {
    if (tensor.typeName === TYPE) matrices.push(await matrixOf(files, tensor, sizes as [number, number]));
  }
  // what activations are rounded to elsewhere; here they are not
  const unused = [...files.tensors.keys()].filter((name) => /\.(input_scale|activation_scale)$/.test(name));
  return { matrices, unused, note: `${matrices.length} matrices of FP8 (e4m3), each value rounded to bf16.` };
}

async function matrixOf(files: TensorSource, tensor: SourceTensor, block: [number, number]): Promise<QuantizedMatrix> {
  const { name } = tensor;
  const [rows, columns] = tensor.shape;
  const whole = `${name}_scale`;
  const isWhole = files.tensors.has(whole);
  const [down, across] = isWhole ? [rows, columns] : block;
  const beside = Math.ceil(columns / across);
  const scaleTensor = isWhole
    ? tensorOf(files, whole)
    : tensorOf(files, `${name}_scale_inv`, [Math.ceil(rows / down), beside]);
  const count = scaleTensor.shape.reduce((product, size) => product * size, 1);
  if (isWhole && count !== 1) throw unsupported(files, `weight_scale of ${name}`, scaleTensor.shape, "one number");
  const scales = formats[scaleTensor.format].decode(await bytesOf(files, scaleTensor), count);
  return {
    name,
    rows,
    columns,
    format: "bf16",
    tensors: [scaleTensor.name],
    async open() {
      return async (first, count) => {
        const codes = new Uint8Array(count * columns);
        await files.read(name, first * columns, codes);
        const values = new Float32Array(codes.length);
        for (let i = 0; i < count; i++) {
          const scaleRow = Math.floor((first + i) / down) * beside;
          for (let column = 0, at = i * columns; column < columns; column++, at++) {
            values[at] = f8E4m3Values[codes[at]] * scales[scaleRow + Math.floor(column / across)];
          }
        }
        return bf16.encode!(values);
      };
    },
  };
}
