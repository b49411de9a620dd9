// `quantize`: a smaller GGUF file of a model. Written beside the target's name, opened again, held against the model that
// it was made of, tensor by tensor and by what both predict, and only then given its name.
import { ShapeError, UsageError } from "../base/errors.ts";
import { move, now, remove } from "#platform";
import { checkWritten } from "../convert/check.ts";
import { checkFree, ignored, sizeOf } from "../convert/convert.ts";
import { type Source, openSource } from "../convert/source.ts";
import { tokenizerOf } from "../convert/tokenizer.ts";
import { writeGgufFile } from "../convert/write-gguf.ts";
import { sum } from "../base/collections.ts";
import { formats } from "../numeric/registry.ts";
import { compareModels } from "./compare.ts";
import { EncodeThreads } from "./encode-threads.ts";
import { mixes } from "./mixes.ts";
import { measureErrors } from "./tensor-errors.ts";
import type { Importance, QuantizeOptions, QuantizeReport } from "./types.ts";
import { type QuantizedWriting, quantizedWriting } from "./write-quantized.ts";

/**
 * Writes the model at `from` (a GGUF file, a folder with safetensors) to the GGUF file `to`. Throws UsageError when
 * something is there already, UnsupportedError for weights that a format cannot hold, FormatError when the written file
 * differs from what it was made of; then nothing is left behind.
 */
export async function quantize(from: string, to: string, options: QuantizeOptions): Promise<QuantizeReport> {
  const startMs = now();
  if (!to.endsWith(".gguf")) {
    throw new UsageError(`The target is ${to}, expected a name that ends in .gguf.`, { field: "out" });
  }
  await using source = await openSource(from, {});
  if (source.from === "llama2c") {
    throw new UsageError(`${from} is a llama2.c checkpoint.`, { hint: "Make a GGUF file of it with liang convert." });
  }
  await checkFree(to, "gguf", options.force === true);
  const unchecked = `${to}.unchecked`;
  await remove(unchecked); // of a quantization that was killed
  try {
    await using threads = await EncodeThreads.start(options.threads);
    checkImportance(source, options.importance);
    const tokenizer = await tokenizerOf(source.folder ?? source.files);
    const writing = quantizedWriting(source, mixes[options.type], options.importance, threads);
    const { onProgress, signal, metadata = {} } = options;
    const progress = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
    const notes = await writeGgufFile(unchecked, source, tokenizer, { metadata, ...progress }, writing);
    const errors = measureErrors(source.model, threads);
    const { texts, logits } = await checkWritten(source, tokenizer, unchecked, progress, errors.compare);
    const comparison =
      tokenizer === undefined
        ? { skipped: "it has no tokenizer, so no text can be read" }
        : await compareModels(from, unchecked, source.model, options);
    await move(unchecked, to);
    const tensors = errors.tensors();
    const weights = sum(tensors.map((tensor) => tensor.weights));
    const bitsOf = (bytes: number): number => (8 * bytes) / weights;
    return {
      path: to,
      type: options.type,
      family: source.model.family,
      parameters: weights,
      bytes: await sizeOf(to),
      bytes_before: sum(source.files.weightFiles.map(({ sizeBytes }) => sizeBytes)),
      bits_per_weight: bitsOf(sum(tensors.map(({ bytes }) => bytes))),
      bits_per_weight_before: bitsOf(sum([...source.store.parameters.values()].map(({ byteLength }) => byteLength))),
      tensors,
      error: errors.total(),
      seconds: (now() - startMs) / 1000,
      notes: [...notes, ...ignored(source), ...remarksOn(source, writing)],
      checks: { texts, logits },
      comparison,
    };
  } finally {
    await remove(unchecked);
  }
}

/** Importances of another model have other columns. */
function checkImportance({ model, path }: Source, importance: Importance = new Map()): void {
  let known = 0;
  for (const { parameter, gguf } of model.weightRows) {
    const columns = model.parameters.get(parameter)?.columns;
    const found = gguf === undefined ? undefined : importance.get(gguf)?.length;
    if (columns === undefined || found === undefined) continue;
    known++;
    if (found !== columns) {
      throw new ShapeError(`importances of ${gguf}`, found, `${columns}, a column of ${path} each`);
    }
  }
  if (importance.size > 0 && known === 0) {
    const [name] = importance.keys();
    throw new UsageError(`The importances are of tensors that ${path} has not, such as ${name}.`, {
      field: "importance",
    });
  }
}

function remarksOn({ store }: Source, { instead, unweighted }: QuantizedWriting): string[] {
  const remarks: string[] = [];
  const stored = new Set([...store.parameters.values()].map(({ format }) => format));
  const packed = [...stored].filter((format) => formats[format].blockSize > 1);
  if (packed.length > 0) {
    remarks.push(
      `The weights were quantized before (${packed.join(", ")}): what that cost stays, and this comes on top.`,
    );
  }
  const replaced = new Map<string, string[]>();
  for (const [name, { format, instead: wanted }] of instead) {
    const key = `${format} instead of ${wanted}`;
    replaced.set(key, [...(replaced.get(key) ?? []), name]);
  }
  for (const [what, names] of replaced) {
    remarks.push(`Rows that are no whole blocks: ${counted(names)} became ${what}.`);
  }
  if (unweighted.length > 0) remarks.push(`No importances are known for ${counted(unweighted)}.`);
  return remarks;
}

const counted = ([first, ...rest]: readonly string[]): string =>
  rest.length === 0 ? first : `${first} and ${rest.length} more`;
