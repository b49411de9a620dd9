// Importances of columns: from what a text or conversations excite in the model, or from llama.cpp's importance matrix in a
// GGUF file, which is also how they are kept.
import { FormatError, LiangError, UsageError } from "../base/errors.ts";
import { createFileWriter, openFile } from "#platform";
import { openExecutor } from "../chat/executors.ts";
import { type ModelParts, openModelParts } from "../chat/model-parts.ts";
import { createTextSide } from "../chat/text-side.ts";
import type { Message } from "../chat/types.ts";
import { count, text, texts } from "../convert/entries.ts";
import { activationSquares } from "../engine/activation-squares.ts";
import { openGguf } from "../format/gguf-files.ts";
import { GGUF_MAGIC } from "../format/gguf-types.ts";
import { type TensorToWrite, writeGguf } from "../format/gguf-writer.ts";
import type { Importance, QuantizeOptions } from "./types.ts";

export interface MeasuredImportance {
  readonly importance: Importance;
  readonly tokens: number;
  /** Conversations that were read; of a text none. */
  readonly conversations?: ReadChats;
}

/** How many conversations were read, and how many the template refuses, with its first words on it. */
export interface ReadChats {
  readonly read: number;
  readonly refused: number;
  readonly refusal?: string;
}

/**
 * What `content`, a text or conversations, excites in the model at `path`: the mean square of each column of what a tensor
 * is multiplied with. Conversations are what the model's template makes of them, and see nothing of each other. Throws
 * UsageError where there is nothing to read.
 */
export async function measureImportance(
  path: string,
  content: string | AsyncIterable<readonly Message[]>,
  { threads, onProgress, signal }: Pick<QuantizeOptions, "threads" | "onProgress" | "signal"> = {},
): Promise<MeasuredImportance> {
  await using parts = await openModelParts(path);
  const { model, store, tokenizer } = parts;
  if (tokenizer.kind === "none") {
    throw new UsageError(`${path} has no tokenizer, so no text can be read.`, { field: "importance" });
  }
  const isText = typeof content === "string";
  const { texts, chats } = isText ? { texts: [tokenizer.encode(content)] } : await chatIds(parts, content);
  const executor = await openExecutor();
  const { tokens, sums } = await activationSquares(model, store, executor, texts, { threads, onProgress, signal });
  const importance = new Map<string, Float32Array<ArrayBuffer>>();
  for (const { parameter, gguf } of model.weightRows) {
    const sum = sums.get(parameter);
    if (sum !== undefined && gguf !== undefined)
      importance.set(
        gguf,
        Float32Array.from(sum, (value) => value / tokens),
      );
  }
  return { importance, tokens, ...(chats !== undefined && { conversations: chats }) };
}

async function chatIds(
  { tokenizer, chosen }: ModelParts,
  conversations: AsyncIterable<readonly Message[]>,
): Promise<{ texts: number[][]; chats: ReadChats }> {
  const { promptIds } = createTextSide({ tokenizer, template: chosen.template });
  const texts: number[][] = [];
  const refusals: string[] = [];
  for await (const messages of conversations) {
    try {
      texts.push(await promptIds(messages, { addGenerationPrompt: false }));
    } catch (error) {
      if (!(error instanceof LiangError)) throw error;
      refusals.push(error.message);
    }
  }
  const [refusal] = refusals;
  if (texts.length === 0) {
    throw new UsageError(refusal ?? "There are no conversations yet.", {
      field: "importance",
      hint: "Name a text file instead, like what the model is for.",
    });
  }
  return { texts, chats: { read: texts.length, refused: refusals.length, ...(refusal !== undefined && { refusal }) } };
}

const SUMS = ".in_sum2";
const COUNTS = ".counts";

/** Whether the file at `path` is a GGUF file, not a text. */
export async function isImportanceFile(path: string): Promise<boolean> {
  const file = await openFile(path);
  try {
    const start = new Uint8Array(4);
    if (file.size < start.length) return false;
    await file.read(0, start);
    return new DataView(start.buffer).getUint32(0, true) === GGUF_MAGIC;
  } finally {
    await file.close();
  }
}

/** Reads llama.cpp's importance matrix. Throws FormatError for another kind of GGUF file, or one that breaks its rules. */
export async function readImportance(path: string): Promise<Importance> {
  await using files = await openGguf(path);
  const kind = files.config["general.type"];
  if (kind !== "imatrix") throw new FormatError(path, "general.type", kind, '"imatrix"');
  const importance = new Map<string, Float32Array<ArrayBuffer>>();
  for (const name of files.tensors.keys()) {
    if (!name.endsWith(SUMS)) continue;
    const tensor = name.slice(0, -SUMS.length);
    const sums = await readFloats(files, name);
    const counts = await readFloats(files, tensor + COUNTS);
    if (counts.length !== 1 || !(counts[0] > 0)) {
      throw new FormatError(path, tensor + COUNTS, [...counts.subarray(0, 4)].join(), "one number above 0", {
        hint: "Importances of experts are not read yet.",
      });
    }
    const values = sums.map((sum) => sum / counts[0]);
    const at = values.findIndex((value) => !(value >= 0 && value < Infinity));
    if (at >= 0) throw new FormatError(path, `${name}[${at}]`, sums[at], "a number that is not negative");
    importance.set(tensor, values);
  }
  if (importance.size === 0) throw new FormatError(path, "tensors", "none", `some that end in ${SUMS}`);
  return importance;
}

async function readFloats(
  files: Awaited<ReturnType<typeof openGguf>>,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const tensor = files.tensors.get(name);
  if (tensor?.format !== "f32") throw new FormatError(files.file, name, tensor?.typeName ?? "missing", "f32");
  const values = new Float32Array(tensor.byteLength! / Float32Array.BYTES_PER_ELEMENT);
  await files.read(name, 0, new Uint8Array(values.buffer));
  return values;
}

/** Writes them as llama.cpp does. `dataset`: what to call the text. */
export async function writeImportance(
  path: string,
  { importance, tokens }: MeasuredImportance,
  dataset: string,
): Promise<void> {
  const f32 = (name: string, values: Float32Array<ArrayBuffer>): TensorToWrite => ({
    name,
    shape: [1, values.length],
    format: "f32",
    data: () => [new Uint8Array(values.buffer)],
  });
  await using file = await createFileWriter(path);
  await writeGguf(file, {
    entries: new Map([
      ["general.type", text("imatrix")],
      ["imatrix.datasets", texts([dataset])],
      ["imatrix.chunk_count", count(1)],
      ["imatrix.chunk_size", count(tokens)],
    ]),
    tensors: [...importance].flatMap(([name, values]) => [
      f32(
        name + SUMS,
        values.map((value) => value * tokens),
      ),
      f32(name + COUNTS, Float32Array.of(tokens)),
    ]),
  });
  await file.finish();
}
