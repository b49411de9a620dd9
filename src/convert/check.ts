// Holds written files, opened anew, against those they were made of: every weight bit for bit, texts under both
// tokenizers, logits under both configs. Throws FormatError for the first difference; the conversion then failed.
import { FormatError } from "../base/errors.ts";
import { openFileStore, readModelFiles } from "../engine/file-store.ts";
import type { ParameterStore } from "../device/executor.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import type { Model, RopeTable } from "../models/index.ts";
import { compareLogits } from "./check-logits.ts";
import { compareTokenizers } from "./check-texts.ts";
import { formsOf } from "./families.ts";
import { counter } from "./progress.ts";
import type { Source } from "./source.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { declaredClasses, tokenizerOf } from "./tokenizer.ts";
import type { ConvertChecks, ConvertOptions } from "./types.ts";
import { pieces, rounded } from "./values.ts";

/** Base and divisors are f32 in GGUF. */
const ROPE_TOLERANCE = 1e-6;

/** Compares all weights of two stores with the same parameters; returns how many. Throws FormatError, naming `path`. */
export type CompareWeights = (
  path: string,
  from: ParameterStore,
  to: ParameterStore,
  options: ConvertOptions,
) => Promise<number>;

/** Opens `path` and compares. Weights by default bit for bit, once rounded to the format that was written. */
export async function checkWritten(
  source: Source,
  from: Tokenizer | undefined,
  path: string,
  options: ConvertOptions,
  compareWeights: CompareWeights = compareBits,
): Promise<ConvertChecks> {
  await using files = await openModelFiles(path);
  const model = await readModelFiles(files);
  const store = openFileStore(files, model);
  compareModels(path, source.model, model);
  const expected = writtenNames(source.model, source.store, files.kind);
  if (expected !== names(store.parameters.keys())) {
    throw new FormatError(path, "parameters", names(store.parameters.keys()), expected);
  }
  const weights = await compareWeights(path, source.store, store, options);
  const to = await tokenizerOf(files);
  if ((from === undefined) !== (to === undefined))
    throw new FormatError(path, "tokenizer", to?.kind, String(from?.kind));
  const gguf =
    files.kind === "gguf" ? { config: files.config, tokenizer: to } : { config: source.files.config, tokenizer: from };
  const promoted = gguf.tokenizer === undefined ? new Set<number>() : promotedIds(gguf.config, gguf.tokenizer);
  const texts = from === undefined || to === undefined ? undefined : compareTokenizers(path, from, to, promoted);
  return { weights, texts, logits: await compareLogits(path, source.model, model, store, options) };
}

function compareModels(path: string, from: Model, to: Model): void {
  // GGUF has one name for families that differ in names alone
  const [found, expected] = [to, from].map((model) => formsOf(model).gguf);
  if (found !== expected) throw new FormatError(path, "family", to.family, from.family);
  for (const fact of ["vocabularySize", "window", "width", "layers"] as const) {
    if (from[fact] !== to[fact]) throw new FormatError(path, fact, to[fact], String(from[fact]));
  }
  if (groups(from) !== groups(to)) throw new FormatError(path, "attention windows", groups(to), groups(from));
  for (const [i, rope] of from.ropes.entries()) {
    const again = to.ropes[i];
    if (again?.name !== rope.name) throw new FormatError(path, "rope", again?.name, rope.name);
    const [found, expected] = [again, rope].map(numbersOf);
    if (expected.length !== found.length || !expected.every((n, j) => Math.abs(n - found[j]) <= ROPE_TOLERANCE * n)) {
      throw new FormatError(path, `rope ${rope.name}`, found.join(), expected.join());
    }
  }
}

/** All that a rope is, at every stage. */
const numbersOf = ({ longer = [], ...first }: RopeTable): number[] =>
  [{ beyond: 0, ...first }, ...longer].flatMap(({ beyond, magnitude, frequencies }) => [
    beyond,
    magnitude,
    ...frequencies,
  ]);

/** Tokens that GGUF lists as ordinary ones, and that Liang takes for control tokens by their spelling. */
function promotedIds(config: TensorSource["config"], tokenizer: Tokenizer): Set<number> {
  const classes = declaredClasses(config, tokenizer);
  return new Set(
    [...classes.keys()].filter((id) => !["control", "unknown"].includes(classes[id]) && tokenizer.isSpecial(id)),
  );
}

const groups = (model: Model): string => JSON.stringify(model.cacheGroups);
const names = (parameters: Iterable<string>): string => [...parameters].sort().join(" ");

/** Of the parameters, those that the written kind of file has a name for. */
function writtenNames({ weightRows }: Model, store: ParameterStore, kind: "hf" | "gguf"): string {
  const unnamed = new Set(weightRows.filter((row) => row[kind] === undefined).map(({ parameter }) => parameter));
  return names([...store.parameters.keys()].filter((name) => !unnamed.has(name)));
}

async function compareBits(
  path: string,
  from: ParameterStore,
  to: ParameterStore,
  { onProgress, signal }: ConvertOptions,
): Promise<number> {
  const total = [...to.parameters.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const count = counter({ label: "check", total, onProgress, signal });
  let weights = 0;
  for (const { name, format, rows, columns } of to.parameters.values()) {
    const found = pieces(to, name);
    const isSameFormat = from.parameters.get(name)!.format === format;
    for await (const piece of pieces(from, name)) {
      const next = await found.next();
      if (next.done === true) throw new FormatError(path, name, "cut off", "as long as it was");
      if (!isSameFormat || !areEqual(piece.bytes, next.value.bytes)) {
        const values = piece.values();
        const expected = bitsOf(rounded(values, format));
        const written = bitsOf(next.value.values());
        const at = expected.findIndex((bits, i) => bits !== written[i]);
        if (at >= 0) {
          const index = piece.firstRow * columns + at;
          throw new FormatError(path, `${name}[${index}]`, next.value.values()[at], `${values[at]}, as it was`);
        }
      }
      count(next.value.bytes.byteLength);
    }
    weights += rows * columns;
  }
  return weights;
}

const bitsOf = ({ buffer }: Float32Array<ArrayBuffer>): Uint32Array => new Uint32Array(buffer);

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}
