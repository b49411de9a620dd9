// `liang inspect`: numbers for other programs: logits of ids, values of a stored tensor, as safetensors files.
import { withoutUndefined } from "../base/collections.ts";
import { UsageError } from "../base/errors.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import { writeSafetensors } from "../format/safetensors.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import { bytesForRow, formats } from "../numeric/registry.ts";
import { createFileWriter } from "#platform";
import { resolveModel } from "../chat/describe.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { note } from "./terminal.ts";

/** Bytes of a stored tensor decoded at a time. */
const PIECE_BYTES = 16e6;

export const command = defineCommand({
  summary: "Writes logits of ids, or a tensor's values, to a safetensors file.",
  usage: "logits MODEL | inspect tensor MODEL NAME",
  words: { least: 2, most: 3 },
  options: {
    ids: { type: "string", hint: "1,2,3", help: "the ids to read (logits)" },
    out: { type: "string", short: "o", hint: "FILE", help: "where to write" },
    ...loadingOptions,
  },
  notes: ["logits: tensor `logits` (T, V) f32, T up to --window.", "tensor: tensor `values` f32, dequantised."],
  async run(options, [what, model, name], signal) {
    if (options.out === undefined) throw new UsageError("--out is missing.", { field: "out" });
    if (what === "logits" && name === undefined) {
      const ids = parseIds(options.ids);
      // logits are for comparing, so nothing is rounded unless asked for
      const exact = { precision: "f32", kvType: "f32", slots: 1, ...withoutUndefined(loadOptions(options)) } as const;
      await using loaded = await openModel(model, { ...exact, signal });
      const { vocabularySize } = loaded.info;
      const wrong = ids.find((id) => id >= vocabularySize);
      if (wrong !== undefined) throw new UsageError(`Id ${wrong} is outside of the vocabulary of ${vocabularySize}.`);
      const logits = await loaded.logits(ids, { signal });
      await writeF32(options.out, "logits", [ids.length, vocabularySize], () => [bytesOf(logits)]);
    } else if (what === "tensor" && name !== undefined) {
      await using files = await openModelFiles(await resolveModel(model));
      const tensor = files.tensors.get(name);
      if (tensor === undefined) {
        throw new UsageError(`${model} has no tensor ${name}.`, { hint: "`liang show MODEL --tensors` lists them." });
      }
      await writeF32(options.out, "values", tensor.shape, () => decoded(files, name));
    } else throw new UsageError(`Found ${what}, expected: logits MODEL, or tensor MODEL NAME.`);
    note(`wrote ${options.out}`);
  },
});

function parseIds(text: string | undefined): number[] {
  const ids = (text ?? "").split(",").map((word) => (/^\s*\d+\s*$/.test(word) ? Number(word) : -1));
  if (ids.some((id) => id < 0)) {
    throw new UsageError(`--ids is ${JSON.stringify(text ?? "")}, expected ids such as 1,2,3.`, { field: "ids" });
  }
  return ids;
}

/** A stored tensor's values, a few rows at a time. */
async function* decoded(files: TensorSource, name: string): AsyncGenerator<Uint8Array> {
  const { shape, format } = files.tensors.get(name)!;
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const rowBytes = bytesForRow(format, columns);
  const step = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const bytes = new Uint8Array(count * rowBytes);
    await files.read(name, row * rowBytes, bytes);
    yield bytesOf(formats[format].decode(bytes, count * columns));
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function writeF32(
  path: string,
  name: string,
  shape: readonly number[],
  data: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  await using writer = await createFileWriter(path);
  await writeSafetensors(writer, [{ name, dtype: "F32", shape, data }]);
  await writer.finish();
}
