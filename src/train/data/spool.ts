// Records on their way: written once in the order read, then read again by number while duplicates are looked for, and
// once more in order. Lies in the folder of the prepared data and is gone when that is done.
import type { ByteSource } from "../../base/source.ts";
import { createFileWriter, joinPath, openFile, remove } from "#platform";
import { createColumn } from "./column.ts";
import { BAND_KEY_BYTES, bandKeys } from "./near-duplicates.ts";
import { type DocumentRow, textOfRecord } from "./record.ts";
import { shinglesOf } from "./shingles.ts";

const PIECE_BYTES = 1 << 20;
/** Shingles kept in memory between comparisons: 128 MB of them. */
const SHINGLES_KEPT = 1 << 25;

/** Where documents are written. */
export interface SpoolWriter extends AsyncDisposable {
  add(row: DocumentRow): Promise<void>;
  finish(): Promise<Spool>;
}

export interface Spool extends AsyncDisposable {
  readonly documents: number;
  readonly keys: ByteSource;
  readonly shingleCounts: Uint32Array;
  read(document: number): Promise<DocumentRow>;
  shingles(document: number): Promise<Int32Array>;
  /** All in order. */
  rows(): AsyncGenerator<DocumentRow>;
}

/** Writes to `folder`. Discarded or read to the end, nothing of it stays. */
export async function createSpool(folder: string): Promise<SpoolWriter> {
  const paths = { rows: joinPath(folder, "spool-rows.part"), keys: joinPath(folder, "spool-keys.part") };
  const [rowFile, keyFile] = [await createFileWriter(paths.rows), await createFileWriter(paths.keys)];
  const starts = createColumn(Float64Array);
  const shingleCounts = createColumn(Uint32Array);
  const encoder = new TextEncoder();
  let rowPieces: Uint8Array[] = [];
  let keyPieces: Uint8Array[] = [];
  let pendingBytes = 0;
  let position = 0;

  async function flush(): Promise<void> {
    await rowFile.append(Buffer.concat(rowPieces));
    await keyFile.append(Buffer.concat(keyPieces));
    rowPieces = [];
    keyPieces = [];
    pendingBytes = 0;
  }
  async function discard(): Promise<void> {
    await rowFile.discard();
    await keyFile.discard();
    for (const path of Object.values(paths)) await remove(path);
  }

  return {
    async add(row) {
      const bytes = encoder.encode(JSON.stringify(row));
      const shingles = shinglesOf(textOfRecord(row));
      const keys = bandKeys(shingles);
      starts.push(position);
      shingleCounts.push(shingles.length);
      rowPieces.push(bytes);
      keyPieces.push(new Uint8Array(keys.buffer));
      position += bytes.length;
      pendingBytes += bytes.length + BAND_KEY_BYTES;
      if (pendingBytes > PIECE_BYTES) await flush();
    },
    async finish() {
      await flush();
      starts.push(position);
      await rowFile.finish();
      await keyFile.finish();
      const [rows, keys] = [await openFile(paths.rows), await openFile(paths.keys)];
      return openSpool(rows, keys, starts.view(), shingleCounts.view(), async () => {
        await rows.close();
        await keys.close();
        await discard();
      });
    },
    [Symbol.asyncDispose]: discard,
  };
}

function openSpool(
  source: ByteSource,
  keys: ByteSource,
  starts: Float64Array,
  shingleCounts: Uint32Array,
  close: () => Promise<void>,
): Spool {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const kept = new Map<number, Int32Array>(); // the oldest first
  let keptCount = 0;
  const documents = shingleCounts.length;

  async function read(document: number): Promise<DocumentRow> {
    const bytes = new Uint8Array(starts[document + 1] - starts[document]);
    await source.read(starts[document], bytes);
    return JSON.parse(decoder.decode(bytes)) as DocumentRow;
  }

  return {
    documents,
    keys,
    shingleCounts,
    read,
    async shingles(document) {
      const known = kept.get(document);
      if (known !== undefined) return known;
      const fresh = shinglesOf(textOfRecord(await read(document)));
      kept.set(document, fresh);
      keptCount += fresh.length;
      for (const [oldest, { length }] of kept) {
        if (keptCount <= SHINGLES_KEPT || oldest === document) break;
        kept.delete(oldest);
        keptCount -= length;
      }
      return fresh;
    },
    async *rows() {
      for (let first = 0; first < documents;) {
        let end = first + 1;
        while (end < documents && starts[end + 1] - starts[first] <= PIECE_BYTES) end++;
        const bytes = new Uint8Array(starts[end] - starts[first]);
        await source.read(starts[first], bytes);
        for (let document = first; document < end; document++) {
          const row = bytes.subarray(starts[document] - starts[first], starts[document + 1] - starts[first]);
          yield JSON.parse(decoder.decode(row)) as DocumentRow;
        }
        first = end;
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
