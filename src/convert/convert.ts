// `convert`: a model from one kind of file to the other. Writes beside the target's name, opens what was written, holds
// it against the source, and only then gives it its name. Not here: what is written (write-*.ts), compared (check.ts).
import { UsageError } from "../base/errors.ts";
import { fileFacts, joinPath, listFolder, makeFolder, move, remove } from "#platform";
import { ROPE_DIVISORS } from "../models/index.ts";
import { checkWritten } from "./check.ts";
import { type Source, openSource } from "./source.ts";
import type { ConvertOptions, ConvertReport } from "./types.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { writeHfFolder } from "./write-folder.ts";
import { writeGgufFile } from "./write-gguf.ts";

/**
 * Converts the model at `from` (HF folder, GGUF file, llama2.c .bin) to `to`: a GGUF file where the name ends in .gguf,
 * else a folder. Throws UsageError when something is there already, UnsupportedError for what the other form cannot
 * say, FormatError when the written files differ from the source; then nothing is left behind.
 */
export async function convert(from: string, to: string, options: ConvertOptions = {}): Promise<ConvertReport> {
  const kind = to.endsWith(".gguf") ? "gguf" : "hf";
  await using source = await openSource(from, options);
  if (source.from === kind) {
    const both = kind === "gguf" ? "GGUF files" : "Hugging Face folders";
    throw new UsageError(`${from} and ${to} are both ${both}.`, {
      hint: "A target that ends in .gguf is a GGUF file.",
    });
  }
  await checkFree(to, kind, options.force === true);
  const unchecked = `${to}.unchecked`;
  await remove(unchecked); // of a conversion that was killed
  try {
    const tokenizer = await tokenizerOf(source.folder ?? source.files);
    const notes =
      kind === "gguf"
        ? await writeGgufFile(unchecked, source, tokenizer, options)
        : await writeHfFolder(unchecked, source, tokenizer, options);
    const checks = await checkWritten(source, tokenizer, unchecked, options);
    await put(unchecked, to, kind);
    return {
      from: source.from,
      to: kind,
      path: to,
      family: source.model.family,
      tensors: source.files.tensors.size,
      parameters: checks.weights,
      bytes: await sizeOf(to),
      notes: [...notes, ...ignored(source), ...unnamed(source, kind)],
      checks,
    };
  } finally {
    await remove(unchecked);
  }
}

/** Nothing may be where the model goes, unless it may be replaced; and never something of another kind. */
export async function checkFree(to: string, kind: "gguf" | "hf", force: boolean): Promise<void> {
  const facts = await fileFacts(to);
  if (facts === undefined) return;
  const isFolder = facts.kind === "folder";
  if (isFolder !== (kind === "hf")) throw new UsageError(`${to} is a ${facts.kind}.`, { hint: "Take another name." });
  if (isFolder && (await listFolder(to)).length === 0) return;
  if (!force) throw new UsageError(`${to} is there already.`, { hint: "--force replaces it." });
}

/** Files of a folder go one by one, so that others in it stay. */
async function put(unchecked: string, to: string, kind: "gguf" | "hf"): Promise<void> {
  if (kind === "gguf") return await move(unchecked, to);
  await makeFolder(to);
  for (const entry of await listFolder(unchecked)) {
    const [from, target] = [unchecked, to].map((folder) => joinPath(folder, entry.name));
    if (entry.kind === "folder") await put(from, target, kind);
    else await move(from, target);
  }
}

/** Of a file, or of a folder's files. */
export async function sizeOf(path: string): Promise<number> {
  const { kind, sizeBytes } = (await fileFacts(path))!;
  if (kind === "file") return sizeBytes;
  let sum = 0;
  for (const { name } of await listFolder(path)) sum += await sizeOf(joinPath(path, name));
  return sum;
}

/** Weights that the other kind of file has no name for. */
function unnamed({ model, files }: Source, kind: "gguf" | "hf"): string[] {
  return model.weightRows
    .filter((row) => row[kind] === undefined && files.tensors.has(row[files.kind]!))
    .map(
      (row) => `Tensor ${row[files.kind]} was left out: ${kind === "gguf" ? "GGUF" : "a folder"} has no name for it.`,
    );
}

/** Tensors that are no weights stay behind; rope divisors are settings in the other form. */
export function ignored({ model }: Source): string[] {
  return [...model.ignored]
    .filter(([name]) => !ROPE_DIVISORS.test(name))
    .map(([name, reason]) => `Tensor ${name} was left out: ${reason}.`);
}
