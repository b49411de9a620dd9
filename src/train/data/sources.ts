// Files of training data: which there are, what they hold, and a stream of records out of each, with the file's SHA-256
// on the way. Folders are searched; what in them is of no known kind is named, not skipped in silence.
import { createHash } from "node:crypto";
import { type DataFormat, dataEndings, dataFormatOf, dataFormats } from "../../base/data-files.ts";
import { NotFoundError, UsageError } from "../../base/errors.ts";
import { byteChunks, unpackedChunks } from "../../format/byte-chunks.ts";
import { type DataRow, jsonRows } from "../../format/json-rows.ts";
import { parquetRows } from "../../format/parquet.ts";
import { fileFacts, joinPath, listFolder, openFile } from "#platform";
import { type DocumentBounds, plainTexts } from "./plain-text.ts";
import type { DataRecord, ReadItem } from "./record.ts";
import { BrokenRow } from "./row-fields.ts";
import { recordOfRow } from "./row-shapes.ts";

export interface DataSource {
  readonly path: string;
  readonly format: DataFormat;
}

export interface FoundSources {
  readonly sources: readonly DataSource[];
  /** Files in folders that are of no kind that is read. */
  readonly skipped: readonly string[];
}

/** The files that `paths` name, folders searched through in the order of names. `format`: of files named themselves. */
export async function findSources(paths: readonly string[], format?: DataFormat): Promise<FoundSources> {
  const sources: DataSource[] = [];
  const skipped: string[] = [];
  async function enter(path: string, isNamed: boolean): Promise<void> {
    const facts = await fileFacts(path);
    if (facts === undefined) throw new NotFoundError(`There is no file or folder ${path}.`);
    if (facts.kind === "folder") {
      for (const { name } of await listFolder(path)) await enter(joinPath(path, name), false);
      return;
    }
    const found = (isNamed ? format : undefined) ?? dataFormatOf(path);
    if (found !== undefined) sources.push({ path, format: found });
    else if (!isNamed) skipped.push(path);
    else {
      throw new UsageError(
        `${path} is of no kind that is told by its name: ${Object.keys(dataEndings).join(", ")}, or these with .gz.`,
        {
          field: "format",
          hint: `Say what it is: ${dataFormats.join(", ")}.`,
        },
      );
    }
  }
  for (const path of paths) await enter(path, true);
  return { sources, skipped };
}

export interface ReadOptions {
  /** What a document is in plain text. Default "file". */
  readonly documents?: DocumentBounds;
  /** Rows become texts, composed of their fields: "{title}\n{text}". Default: by the row's shape. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

export interface SourceFacts {
  readonly bytes: number;
  /** Of the file as it is, packed or not; in hexadecimal. */
  readonly sha256: string;
}

/** Reads a source to its end: gives its items in order, and returns what it was. Rejects where the file itself is broken. */
export async function* readSource(
  { path, format }: DataSource,
  index: number,
  options: ReadOptions = {},
): AsyncGenerator<ReadItem, SourceFacts> {
  const file = await openFile(path);
  try {
    const hash = createHash("sha256");
    const onBytes = (bytes: Uint8Array): unknown => hash.update(bytes);
    const { signal } = options;
    if (format === "text") {
      const chunks = unpackedChunks(file, { onBytes, signal });
      for await (const { line, text } of plainTexts(chunks, path, options.documents ?? "file")) {
        yield { source: index, line, record: { text } };
      }
    } else if (format === "json") {
      yield* items(jsonRows(unpackedChunks(file, { onBytes, signal }), path), index, options.text);
    } else {
      for await (const bytes of byteChunks(file, { signal })) onBytes(bytes);
      yield* items(parquetRows(file, signal), index, options.text);
    }
    return { bytes: file.size, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

async function* items(
  rows: AsyncIterable<DataRow>,
  source: number,
  text: string | undefined,
): AsyncGenerator<ReadItem> {
  for await (const row of rows) {
    const { line } = row;
    if ("broken" in row) {
      yield { source, line, broken: row.broken };
      continue;
    }
    let record: DataRecord;
    try {
      record = recordOfRow(row.value, text);
    } catch (error) {
      if (!(error instanceof BrokenRow)) throw error;
      yield { source, line, broken: error.message };
      continue;
    }
    yield { source, line, record };
  }
}
