// Files in chunks of about a megabyte, cut where it does not change the pieces; each chunk can be read by itself, by any
// thread, because where it begins and ends follows from the bytes there. No more than a chunk of a file is in memory.
import { FormatError, NotFoundError } from "../../base/errors.ts";
import type { ByteSource } from "../../base/source.ts";
import { fileFacts, openFile } from "#platform";
import type { FindCut } from "./cuts.ts";

export interface Chunk {
  readonly path: string;
  /** Begins at the first cut after `start` (a file's first chunk: at 0), ends at the first cut after `end`. */
  readonly start: number;
  readonly end: number;
}

export const CHUNK_BYTES = 1 << 20;
/** A first look for a cut; then four times as far each time. */
const LOOK_BYTES = 1 << 12;
/** Without a cut in so many bytes the file is refused: it would have to be in memory whole. */
const UNCUT_BYTES_MAX = 1 << 28;

/** The chunks of files, in order. Throws NotFoundError, and FormatError for what is no file. */
export async function chunksOf(paths: readonly string[], chunkBytes = CHUNK_BYTES): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (const path of paths) {
    const facts = await fileFacts(path);
    if (facts === undefined) throw new NotFoundError(`There is no file ${path}.`);
    if (facts.kind !== "file") throw new FormatError(path, "path", `a ${facts.kind}`, "a text file");
    for (let start = 0; start < facts.sizeBytes; start += chunkBytes) {
      chunks.push({ path, start, end: Math.min(start + chunkBytes, facts.sizeBytes) });
    }
  }
  return chunks;
}

/** The text of a chunk. Throws FormatError where it is no UTF-8 or there is nowhere to cut. */
export async function readChunk(chunk: Chunk, findCut: FindCut): Promise<string> {
  const source = await openFile(chunk.path);
  try {
    return await readText(source, chunk, findCut);
  } finally {
    await source.close();
  }
}

async function readText(source: ByteSource, chunk: Chunk, findCut: FindCut): Promise<string> {
  const from = chunk.start === 0 ? 0 : await cutAfter(source, chunk.start, findCut);
  const to = chunk.end >= source.size ? source.size : await cutAfter(source, chunk.end, findCut);
  const bytes = new Uint8Array(to - from);
  await source.read(from, bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: from > 0 }).decode(bytes);
  } catch (cause) {
    throw new FormatError(source.name, `bytes ${from} to ${to}`, "no UTF-8", "text in UTF-8", { cause });
  }
}

/** The first cut after `place`, the file's end where there is none. */
async function cutAfter(source: ByteSource, place: number, findCut: FindCut): Promise<number> {
  for (let look = LOOK_BYTES; ; look *= 4) {
    const bytes = new Uint8Array(Math.min(look, source.size - place));
    await source.read(place, bytes);
    const atEnd = place + bytes.length === source.size;
    // the last bytes could be the beginning of a character that separates
    const cut = findCut(bytes, 0, atEnd ? bytes.length : bytes.length - 3);
    if (cut >= 0) return place + cut;
    if (atEnd) return source.size;
    if (look > UNCUT_BYTES_MAX) {
      throw new FormatError(
        source.name,
        `text from byte ${place} on`,
        `without a place to cut in ${look} bytes`,
        "words, lines or sentences",
        { hint: "Put line ends into it." },
      );
    }
  }
}
