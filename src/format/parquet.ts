// Rows of Parquet files by hyparquet, a row group at a time: those are what must fit into memory. What unpacks pages beside Snappy (hyparquet's own) is
// Node's zlib. Not here: what a row means.
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { type AsyncBuffer, type Compressors, parquetMetadataAsync, parquetReadObjects, toJson } from "hyparquet";
import { FormatError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import type { DataRow } from "./json-rows.ts";

const compressors: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  ZSTD: (bytes) => zstdDecompressSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
};

/** Rows as objects by column names, of what JSON can hold; a column without a value is null or missing. Throws FormatError where the file is broken or packed in another way. */
export async function* parquetRows(source: ByteSource, signal?: AbortSignal): AsyncGenerator<DataRow> {
  const file: AsyncBuffer = {
    byteLength: source.size,
    async slice(start, end = source.size) {
      const bytes = new Uint8Array(end - start);
      await source.read(start, bytes);
      return bytes.buffer;
    },
  };
  const metadata = await reading(source, () => parquetMetadataAsync(file));
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    signal?.throwIfAborted();
    const rowEnd = rowStart + Number(group.num_rows);
    const options = { file, metadata, rowStart, rowEnd, compressors };
    const rows = await reading(source, () => parquetReadObjects(options));
    for (const [i, value] of rows.entries()) yield { line: rowStart + i + 1, value: toJson(value) };
    rowStart = rowEnd;
  }
}

async function reading<T>(source: ByteSource, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(source.name, "content", reason, "a Parquet file", { cause });
  }
}
