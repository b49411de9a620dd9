// Folders whose matrices are quantized as `quantization_config` says, in tensors beside each other (codes, scales, zeros):
// seen as folders of plain matrices, in the smallest number format that holds the same values. What the tensors of each
// method hold: gptq.ts, awq.ts, fp8.ts. Families see nothing of it.
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { bytesForRow } from "../numeric/registry.ts";
import { awqMatrices } from "./awq.ts";
import { fp8Matrices } from "./fp8.ts";
import { gptqMatrices } from "./gptq.ts";
import { mxfp4Matrices } from "./mxfp4.ts";
import type { QuantizedMatrix, QuantizedTensors, ReadRows, Settings } from "./quantized-matrix.ts";
import type { SourceTensor, TensorSource } from "./tensor-source.ts";

type Method = (files: TensorSource, settings: Settings) => Promise<QuantizedTensors>;

/** By `quant_method`. */
const methods: Readonly<Record<string, Method>> = {
  gptq: gptqMatrices,
  awq: awqMatrices,
  fp8: fp8Matrices,
  mxfp4: mxfp4Matrices,
};

const KEY = "quantization_config";

/** The view of `files`, or `files` where nothing is quantized so; closing it closes them. Throws UnsupportedError for other methods. */
export async function dequantizedFiles<F extends TensorSource>(files: F): Promise<F> {
  const settings = files.config[KEY];
  if (settings === undefined || settings === null) return files;
  if (typeof settings !== "object") throw new FormatError(files.file, KEY, settings, "an object");
  const method = (settings as Settings).quant_method;
  if (typeof method !== "string" || !Object.hasOwn(methods, method)) {
    throw new UnsupportedError(`${files.file}: ${KEY}.quant_method is ${JSON.stringify(method ?? null)}.`, {
      hint: `Liang reads ${Object.keys(methods).join(", ")}; take such a copy of the model, or one that is not quantized, or GGUF.`,
    });
  }
  const { matrices, unused = [], note } = await methods[method](files, settings as Settings);
  return { ...files, ...view(files, matrices, unused), config: without(files.config, KEY), notes: [note] };
}

function without(config: Settings, key: string): Settings {
  return Object.fromEntries(Object.entries(config).filter(([name]) => name !== key));
}

function view(
  files: TensorSource,
  matrices: readonly QuantizedMatrix[],
  unused: readonly string[],
): Pick<TensorSource, "tensors" | "read"> {
  const byName = new Map(matrices.map((matrix) => [matrix.name, matrix]));
  const hidden = new Set([...unused, ...matrices.flatMap(({ tensors }) => tensors)]);
  const kept = [...files.tensors].filter(([name]) => !hidden.has(name));
  let last: { readonly name: string; readonly read: Promise<ReadRows> } | undefined;
  return {
    tensors: new Map([...kept, ...matrices.map((matrix) => [matrix.name, asTensor(matrix)] as const)]),
    async read(name, byteOffset, into) {
      const matrix = byName.get(name);
      if (matrix === undefined) return await files.read(name, byteOffset, into);
      if (last?.name !== name) last = { name, read: matrix.open() };
      const read = await last.read;
      const rowBytes = bytesForRow(matrix.format, matrix.columns);
      const first = Math.floor(byteOffset / rowBytes);
      const end = Math.ceil((byteOffset + into.byteLength) / rowBytes);
      const bytes = await read(first, end - first);
      const skipped = byteOffset - first * rowBytes;
      into.set(bytes.subarray(skipped, skipped + into.byteLength));
    },
  };
}

function asTensor({ name, rows, columns, shape = [rows, columns], format }: QuantizedMatrix): SourceTensor {
  return { name, shape, format, typeName: format, byteLength: rows * bytesForRow(format, columns) };
}
