// A byte source read from its beginning to its end, a piece at a time, so that a file larger than memory streams
// through; gzip is unpacked on the way. Not here: what the bytes mean (text-lines.ts, json-rows.ts).
import { FormatError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";

const CHUNK_BYTES = 1 << 20;

export interface ChunkOptions {
  /** Called with the file's own bytes (before unpacking), in order. */
  readonly onBytes?: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** The bytes of `source` in order. Rejects with AbortError, and as the source's `read` does. */
export async function* byteChunks(
  source: ByteSource,
  options: ChunkOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
    options.signal?.throwIfAborted();
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, source.size - offset));
    await source.read(offset, bytes);
    options.onBytes?.(bytes);
    yield bytes;
  }
}

/** The same, unpacked where the source begins as gzip does. Rejects with FormatError when the packed bytes are broken. */
export async function* unpackedChunks(source: ByteSource, options: ChunkOptions = {}): AsyncGenerator<Uint8Array> {
  const start = new Uint8Array(Math.min(2, source.size));
  await source.read(0, start);
  const chunks = byteChunks(source, options);
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield* chunks;
    return;
  }
  let failed: unknown; // of reading: told as it is, not as broken gzip
  const packed = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    try {
      yield* chunks;
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  try {
    yield* ReadableStream.from(packed()).pipeThrough(new DecompressionStream("gzip"));
  } catch (cause) {
    if (failed !== undefined) throw failed;
    throw new FormatError(source.name, "content", "broken gzip", "a whole gzip file", { cause });
  }
}
