// Matrices as AutoAWQ stores them (Lin et al. 2023, "AWQ"; its "gemm" version): X.qweight (K, M/8) i32, each word eight
// outputs' codes of 4 bits in the order 0 2 4 6 1 3 5 7, X.qzeros (groups, M/8) packed alike, X.scales (groups, M); groups
// of columns follow one another.
import { formats } from "../numeric/registry.ts";
import { noteOf, unsupported } from "./gptq.ts";
import { type IntegerGroups, encodeRows, formatFor } from "./integer-groups.ts";
import { type QuantizedMatrix, type QuantizedTensors, type Settings, bytesOf, tensorOf } from "./quantized-matrix.ts";
import type { TensorSource } from "./tensor-source.ts";

const BITS = 4;
const PER_WORD = 8;
/** Where output i of a word's eight lies, in codes from its low end. */
const PLACE = [0, 4, 1, 5, 2, 6, 3, 7];

export async function awqMatrices(files: TensorSource, settings: Settings): Promise<QuantizedTensors> {
  const { bits = BITS, version = "gemm", zero_point: hasZeros = true } = settings;
  if (bits !== BITS) throw unsupported(files, "bits", bits, String(BITS));
  if (String(version).toLowerCase() !== "gemm") throw unsupported(files, "version", version, "gemm");
  if (hasZeros !== true) throw unsupported(files, "zero_point", hasZeros, "true");
  const matrices: QuantizedMatrix[] = [];
  for (const name of [...files.tensors.keys()].filter((name) => name.endsWith(".qweight"))) {
    matrices.push(await matrixOf(files, name.slice(0, -".qweight".length)));
  }
  return { matrices, note: noteOf("AWQ", matrices, BITS) };
}

/** Code of output `row` in a row of words. */
const codeAt = (words: Uint32Array, first: number, row: number): number =>
  (words[first + Math.floor(row / PER_WORD)] >>> (PLACE[row % PER_WORD] * BITS)) & 15;

async function matrixOf(files: TensorSource, stem: string): Promise<QuantizedMatrix> {
  const codes = tensorOf(files, `${stem}.qweight`);
  const [columns, words] = codes.shape;
  const rows = words * PER_WORD;
  const [count] = tensorOf(files, `${stem}.scales`).shape;
  const scaleTensor = tensorOf(files, `${stem}.scales`, [count, rows]);
  const zeroTensor = tensorOf(files, `${stem}.qzeros`, [count, words]);
  const scales = formats[scaleTensor.format].decode(await bytesOf(files, scaleTensor), count * rows);
  const packedZeros = new Uint32Array((await bytesOf(files, zeroTensor)).buffer);
  const size = Math.ceil(columns / count);
  const groups: IntegerGroups = {
    rows,
    columns,
    bits: BITS,
    groupOf: Int32Array.from({ length: columns }, (_, column) => Math.floor(column / size)),
    zeros: Int16Array.from({ length: count * rows }, (_, i) =>
      codeAt(packedZeros, Math.floor(i / rows) * words, i % rows),
    ),
    scales,
  };
  const format = formatFor(groups);
  return {
    name: `${stem}.weight`,
    rows,
    columns,
    format,
    tensors: ["qweight", "qzeros", "scales"].map((part) => `${stem}.${part}`),
    async open() {
      const packed = new Uint32Array((await bytesOf(files, codes)).buffer);
      return encodeRows(groups, format, (row, into) => {
        for (let column = 0; column < columns; column++) into[column] = codeAt(packed, column * words, row);
      });
    },
  };
}
