// Matrices as AutoGPTQ stores them (Frantar et al. 2023, "GPTQ"): X.qweight (K*bits/32, M) i32 with the codes of a column's
// neighbouring rows in a word, X.qzeros (groups, M*bits/32) with those of neighbouring outputs, X.scales (groups, M), and
// X.g_idx (K), each column's group, which is out of order where columns were taken by activation (desc_act). The first
// layout stores zeros less 1.
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { formats } from "../numeric/registry.ts";
import { type IntegerGroups, encodeRows, formatFor } from "./integer-groups.ts";
import { type QuantizedMatrix, type QuantizedTensors, type Settings, bytesOf, tensorOf } from "./quantized-matrix.ts";
import type { TensorSource } from "./tensor-source.ts";

const WORD = 32;
/** Bits of codes that fill words. */
const BITS = [2, 4, 8];
/** What zeros are stored less, by `checkpoint_format`. */
const ZERO_LESS: Readonly<Record<string, number>> = { gptq: 1, gptq_v2: 0 };

export async function gptqMatrices(files: TensorSource, settings: Settings): Promise<QuantizedTensors> {
  const { bits, checkpoint_format: layout = "gptq" } = settings;
  if (!BITS.includes(bits as number)) throw unsupported(files, "bits", bits, BITS.join(", "));
  if (typeof layout !== "string" || !Object.hasOwn(ZERO_LESS, layout)) {
    throw unsupported(files, "checkpoint_format", layout, Object.keys(ZERO_LESS).join(", "));
  }
  const matrices: QuantizedMatrix[] = [];
  for (const name of [...files.tensors.keys()].filter((name) => name.endsWith(".qweight"))) {
    matrices.push(await matrixOf(files, name.slice(0, -".qweight".length), bits as number, ZERO_LESS[layout]));
  }
  return { matrices, note: noteOf("GPTQ", matrices, bits as number) };
}

/** An option that Liang lacks, by name. */
export const unsupported = (files: TensorSource, key: string, found: unknown, known: string): UnsupportedError =>
  new UnsupportedError(`${files.file}: quantization_config.${key} is ${JSON.stringify(found ?? null)}.`, {
    hint: `Liang reads ${known}.`,
  });

/** What became of the matrices, a sentence. */
export function noteOf(method: string, matrices: readonly QuantizedMatrix[], bits: number): string {
  const counts = new Map<string, number>();
  for (const { format } of matrices) counts.set(format, (counts.get(format) ?? 0) + 1);
  const kept = [...counts].map(([format, count]) => {
    return `${count} as ${format}, ${format === "f16" ? "each value rounded to f16" : "which holds the same values"}`;
  });
  return `${matrices.length} matrices of ${method}, ${bits} bits: ${kept.join("; ")}.`;
}

async function matrixOf(files: TensorSource, stem: string, bits: number, zeroLess: number): Promise<QuantizedMatrix> {
  const perWord = WORD / bits;
  const [words, rows] = tensorOf(files, `${stem}.qweight`).shape;
  const columns = words * perWord;
  const scaleTensor = tensorOf(files, `${stem}.scales`);
  const [groupCount] = scaleTensor.shape;
  tensorOf(files, `${stem}.scales`, [groupCount, rows]);
  const zeroTensor = tensorOf(files, `${stem}.qzeros`, [groupCount, rows / perWord]);
  const scales = formats[scaleTensor.format].decode(await bytesOf(files, scaleTensor), groupCount * rows);
  const packedZeros = new Uint32Array((await bytesOf(files, zeroTensor)).buffer);
  const mask = 2 ** bits - 1;
  const zeros = Int16Array.from({ length: groupCount * rows }, (_, i) => {
    const code = (packedZeros[Math.floor(i / perWord)] >>> ((i % perWord) * bits)) & mask;
    return code + zeroLess;
  });
  const groupOf = await groupsOf(files, stem, columns, groupCount);
  const groups: IntegerGroups = { rows, columns, bits, groupOf, zeros, scales };
  const format = formatFor(groups);
  const codes = tensorOf(files, `${stem}.qweight`);
  return {
    name: `${stem}.weight`,
    rows,
    columns,
    format,
    tensors: ["qweight", "qzeros", "scales", "g_idx"].map((part) => `${stem}.${part}`),
    async open() {
      const packed = new Uint32Array((await bytesOf(files, codes)).buffer);
      return encodeRows(groups, format, (row, into) => {
        for (let word = 0, column = 0; word < words; word++) {
          const codes = packed[word * rows + row];
          for (let i = 0; i < perWord; i++) into[column++] = (codes >>> (i * bits)) & mask;
        }
      });
    },
  };
}

/** Each column's group; without g_idx groups of one size follow one another. */
async function groupsOf(files: TensorSource, stem: string, columns: number, count: number): Promise<Int32Array> {
  const name = `${stem}.g_idx`;
  const size = Math.ceil(columns / count);
  if (!files.tensors.has(name)) return Int32Array.from({ length: columns }, (_, column) => Math.floor(column / size));
  const groupOf = new Int32Array((await bytesOf(files, tensorOf(files, name, [columns]))).buffer);
  const wrong = groupOf.find((group) => !(group >= 0 && group < count));
  if (wrong !== undefined) throw new FormatError(files.file, name, wrong, `a group below ${count}`);
  return groupOf;
}
