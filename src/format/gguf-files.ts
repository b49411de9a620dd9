// A GGUF model as a tensor source: one file, or the parts of a split one ("name-00001-of-00003.gguf"), which open as
// one whichever part was named.
import { FormatError, NotFoundError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { fileFacts, joinPath, openFile, splitPath } from "#platform";
import { readGguf } from "./gguf-reader.ts";
import { formatOfType, type GgufEntry, type GgufHeader, plainMetadata, tensorTypeName } from "./gguf-types.ts";
import { type PlacedTensor, tensorAccess, type TensorSource } from "./tensor-source.ts";

export interface GgufFiles extends TensorSource {
  readonly kind: "gguf";
  /** Metadata with its types, for writing it again; of the first part where there are several. */
  readonly entries: ReadonlyMap<string, GgufEntry>;
}

const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** Opens a GGUF file and all its parts. Throws NotFoundError naming a part that is not there. */
export async function openGguf(path: string): Promise<GgufFiles> {
  const sources: ByteSource[] = [];
  try {
    const parts: { source: ByteSource; header: GgufHeader }[] = [];
    for (const part of await partPaths(path)) {
      const source = await openFile(part);
      sources.push(source);
      parts.push({ source, header: await readGguf(source) });
    }
    checkParts(parts);
    const { entries } = parts[0].header;
    const access = tensorAccess(path, sources, parts.flatMap(placed));
    return { ...access, kind: "gguf", config: plainMetadata(entries), entries };
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

/** The name of part `index` (from 0) of `count`. */
export const partName = (stem: string, index: number, count: number): string =>
  `${stem}-${digits(index + 1)}-of-${digits(count)}.gguf`;

const digits = (number: number): string => String(number).padStart(5, "0");

/** The file itself, or all parts that its name promises. */
async function partPaths(path: string): Promise<string[]> {
  const { folder, name } = splitPath(path);
  const match = PART_NAME.exec(name);
  if (match === null) return [path];
  const [, stem, number, total] = match;
  const count = Number(total);
  if (Number(number) < 1 || Number(number) > count)
    throw new FormatError(path, "part", Number(number), `1 to ${count}`);
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const part = joinPath(folder, partName(stem, i, count));
    // asked one by one, so that a name that promises 99999 parts ends at the first that is not there
    if ((await fileFacts(part)) === undefined) {
      throw new NotFoundError(`Part ${i + 1} of ${count} is not there: ${part}.`, {
        hint: "Put all parts in one folder.",
      });
    }
    paths.push(part);
  }
  return paths;
}

const say = ({ entries }: GgufHeader, key: string): unknown => entries.get(key)?.value;

/** Holds what each part says of itself against what it was opened as. */
function checkParts(parts: readonly { source: ByteSource; header: GgufHeader }[]): void {
  for (const [i, { source, header }] of parts.entries()) {
    const count = Number(say(header, "split.count") ?? 1);
    if (count !== parts.length && !(count === 0 && parts.length === 1)) {
      throw new FormatError(source.name, "metadata split.count", count, String(parts.length), {
        hint: "Parts are found by their names: name-00001-of-00003.gguf.",
      });
    }
    const number = Number(say(header, "split.no") ?? 0);
    if (number !== i) throw new FormatError(source.name, "metadata split.no", number, String(i));
  }
  const promised = say(parts[0].header, "split.tensors.count");
  const found = parts.reduce((sum, { header }) => sum + header.tensors.length, 0);
  if (promised !== undefined && Number(promised) !== found) {
    throw new FormatError(parts[0].source.name, "metadata split.tensors.count", promised, String(found));
  }
}

function placed({ source, header }: { source: ByteSource; header: GgufHeader }): PlacedTensor[] {
  return header.tensors.map(({ name, shape, ggmlType, offset, byteLength }) => ({
    name,
    shape,
    typeName: tensorTypeName(ggmlType),
    format: formatOfType(ggmlType),
    byteLength,
    source,
    offset,
  }));
}
