// Documents as token ids in one file: written once, then mapped into memory (or read in, where the host maps none), so
// that training reads any document by its number. Ids take two bytes up to a vocabulary of 65,536, else four.
//
// Little-endian: header of 64 bytes, ids, and from the next multiple of 8 on the index: u64 start of each document and the
// end, u32 first span of each and the end, u32 source of each, u32 pairs [start, end) of spans. A span is tokens of its
// document that are learnt; all others are only read. Not here: how texts become ids (tokenize.ts).
import { createHash } from "node:crypto";
import { FormatError } from "../../base/errors.ts";
import { createFileWriter, fileFacts, openFile } from "#platform";
import { createColumn } from "./column.ts";
import { holdFile } from "./held-file.ts";

const MAGIC = 0x4b4f544c; // "LTOK"
const VERSION = 1;
const HEADER_BYTES = 64;
const PIECE_IDS = 1 << 19;

export interface TokenDocument {
  readonly ids: readonly number[] | Int32Array;
  /** Ascending [start, end) pairs of the ids that are learnt. */
  readonly spans: readonly (readonly [start: number, end: number])[];
  readonly source: number;
}

export interface TokenStoreWriter extends AsyncDisposable {
  add(document: TokenDocument): Promise<void>;
  /** Puts the file in its place; the SHA-256 is of its bytes with the header behind the rest, as they are written. */
  finish(): Promise<{ readonly bytes: number; readonly sha256: string }>;
}

/** Starts a store; the file appears at `finish`. */
export async function createTokenStore(path: string, vocabularySize: number): Promise<TokenStoreWriter> {
  const file = await createFileWriter(path);
  const Ids = idsOf(vocabularySize);
  const hash = createHash("sha256");
  const starts = createColumn(Float64Array);
  const firstSpans = createColumn(Uint32Array);
  const sources = createColumn(Uint32Array);
  const spans = createColumn(Uint32Array);
  const pending = new Ids(PIECE_IDS);
  let pendingCount = 0;
  let tokens = 0;

  async function append(bytes: Uint8Array): Promise<void> {
    hash.update(bytes);
    await file.append(bytes);
  }
  async function flush(): Promise<void> {
    await append(new Uint8Array(pending.slice(0, pendingCount).buffer));
    pendingCount = 0;
  }
  await file.append(new Uint8Array(HEADER_BYTES));

  return {
    async add(document) {
      starts.push(tokens);
      firstSpans.push(spans.length / 2);
      sources.push(document.source);
      for (const span of document.spans) for (const bound of span) spans.push(bound);
      for (const id of document.ids) {
        if (pendingCount === PIECE_IDS) await flush();
        pending[pendingCount++] = id;
      }
      tokens += document.ids.length;
    },
    async finish() {
      await flush();
      const documents = sources.length;
      starts.push(tokens);
      firstSpans.push(spans.length / 2);
      await append(new Uint8Array(-file.position & 7));
      const indexStart = file.position;
      await append(bytesOf(BigUint64Array.from(starts.view(), BigInt)));
      await append(bytesOf(firstSpans.view()));
      await append(bytesOf(sources.view()));
      await append(bytesOf(spans.view()));
      const header = new DataView(new ArrayBuffer(HEADER_BYTES));
      header.setUint32(0, MAGIC, true);
      header.setUint32(4, VERSION, true);
      header.setUint32(8, Ids.BYTES_PER_ELEMENT, true);
      header.setUint32(12, vocabularySize, true);
      for (const [i, value] of [tokens, documents, spans.length / 2, indexStart].entries()) {
        header.setBigUint64(16 + i * 8, BigInt(value), true);
      }
      const headerBytes = new Uint8Array(header.buffer);
      hash.update(headerBytes);
      await file.patch(0, headerBytes);
      const bytes = file.position;
      await file.finish();
      return { bytes, sha256: hash.digest("hex") };
    },
    [Symbol.asyncDispose]: () => file.discard(),
  };
}

export interface TokenStore extends Disposable {
  readonly path: string;
  readonly vocabularySize: number;
  readonly tokens: number;
  /** Where each document's ids begin (D + 1). */
  readonly starts: Float64Array;
  /** Where each document's spans begin (D + 1), and all spans as pairs inside of their documents. */
  readonly firstSpans: Uint32Array;
  readonly spans: Uint32Array;
  /** Source of each document, as the data card counts them (D). */
  readonly sources: Uint32Array;
  /** All ids; past `close` nothing may read them. */
  readonly ids: Uint16Array | Uint32Array;
  close(): void;
}

export const documentsOf = (store: Pick<TokenStore, "sources">): number => store.sources.length;

/**
 * Opens a store. `map`: keep the ids in the file and map them into memory (default where the host can), else they are
 * read in. Throws NotFoundError, FormatError, and MemoryError where they must be read in and do not fit.
 */
export async function openTokenStore(path: string, options: { readonly map?: boolean } = {}): Promise<TokenStore> {
  const file = await openFile(path);
  try {
    const fail = (field: string, found: unknown, expected: string): never => {
      throw new FormatError(path, field, found, expected, {
        hint: "Write the tokens again with `liang data tokenize`.",
      });
    };
    if (file.size < HEADER_BYTES) fail("size", `${file.size} bytes`, `at least ${HEADER_BYTES} bytes`);
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    await file.read(0, new Uint8Array(header.buffer));
    if (header.getUint32(0, true) !== MAGIC) fail("magic", header.getUint32(0, true), "a token store");
    if (header.getUint32(4, true) !== VERSION) fail("version", header.getUint32(4, true), String(VERSION));
    const idBytes = header.getUint32(8, true);
    const vocabularySize = header.getUint32(12, true);
    const Ids = idsOf(vocabularySize);
    if (idBytes !== Ids.BYTES_PER_ELEMENT) fail("bytes of an id", idBytes, String(Ids.BYTES_PER_ELEMENT));
    const [tokens, documents, spanCount, indexStart] = [0, 1, 2, 3].map((i) =>
      Number(header.getBigUint64(16 + i * 8, true)),
    );
    const sizes = [(documents + 1) * 8, (documents + 1) * 4, documents * 4, spanCount * 8];
    const size = indexStart + sizes.reduce((a, b) => a + b, 0);
    if (size !== file.size) fail("size", `${file.size} bytes`, `${size} bytes`);
    const idsEnd = HEADER_BYTES + Math.ceil((tokens * idBytes) / 8) * 8;
    if (indexStart !== idsEnd) fail("start of the index", indexStart, `${idsEnd}, behind ${tokens} ids`);
    const parts: ArrayBufferLike[] = [];
    let position = indexStart;
    for (const bytes of sizes) {
      const part = new Uint8Array(bytes);
      await file.read(position, part);
      parts.push(part.buffer);
      position += bytes;
    }
    const held = await holdFile(path, HEADER_BYTES + tokens * idBytes, { map: options.map ?? true });
    return {
      path,
      vocabularySize,
      tokens,
      starts: Float64Array.from(new BigUint64Array(parts[0]), Number),
      firstSpans: new Uint32Array(parts[1]),
      sources: new Uint32Array(parts[2]),
      spans: new Uint32Array(parts[3]),
      ids: new Ids(held.bytes.buffer as ArrayBuffer, held.bytes.byteOffset + HEADER_BYTES, tokens),
      close: held.close,
      [Symbol.dispose]: held.close,
    };
  } finally {
    await file.close();
  }
}

/** Whether there is a store at `path`. */
export const hasTokenStore = async (path: string): Promise<boolean> => (await fileFacts(path))?.kind === "file";

const idsOf = (vocabularySize: number): Uint16ArrayConstructor | Uint32ArrayConstructor =>
  vocabularySize <= 0x10000 ? Uint16Array : Uint32Array;

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
