// Prepared records → token stores, one a split, for one tokenizer and template, read in one of the ways of readings.ts,
// each of which has a folder. Beside the stores lies card.json, written last: what is in them, and the fingerprint of the
// words that made them. Not here: cleaning (prepare.ts), packing (batches.ts).
import { FormatError, NotFoundError } from "../../base/errors.ts";
import type { OnProgress } from "../../base/progress.ts";
import { byteChunks } from "../../format/byte-chunks.ts";
import { jsonRows } from "../../format/json-rows.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { createFileWriter, fileFacts, joinPath, makeFolder, openFile, readText, remove } from "#platform";
import { ConversationError, type EncodedConversation, type TrainingWords } from "./conversation-encoder.ts";
import { type Split } from "./data-card.ts";
import { wordsFingerprint } from "./fingerprint.ts";
import { readCard } from "./prepare.ts";
import { type DocumentRow, type Origin } from "./record.ts";
import { type ReadingName, readings } from "./readings.ts";
import { type TokenStore, createTokenStore, openTokenStore } from "./token-store.ts";

const CARD_BYTES_MAX = 64e6;

export interface TokenCounts {
  documents: number;
  tokens: number;
  /** Tokens that are learnt. */
  learnt: number;
  /** UTF-8 bytes that the learnt tokens spell; control tokens spell none. */
  learntBytes: number;
}

/** A document that the template refuses, with its words. */
export interface RefusedDocument extends Origin {
  readonly split: Split;
  readonly reason: string;
}

export interface TokenCard {
  readonly version: 1;
  /** Of vocabulary, special ids and template. */
  readonly fingerprint: string;
  readonly vocabularySize: number;
  readonly splits: Readonly<
    Record<
      Split,
      TokenCounts & { readonly bytes: number; readonly sha256: string; readonly sources: readonly TokenCounts[] }
    >
  >;
  readonly refused: readonly RefusedDocument[];
}

export interface TokenizeOptions {
  /** Default "documents". */
  readonly reading?: ReadingName;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const emptyCounts = (): TokenCounts => ({ documents: 0, tokens: 0, learnt: 0, learntBytes: 0 });

/** Writes the token stores of a prepared folder. Throws as `readCard` does, and FormatError for files that are broken. */
export async function tokenizeData(
  folder: string,
  words: TrainingWords,
  { reading = "documents", onProgress, signal }: TokenizeOptions = {},
): Promise<TokenCard> {
  const { sources, total } = await readCard(folder);
  const output = tokensFolder(folder, reading);
  await makeFolder(output);
  await remove(joinPath(output, "card.json"));
  const refused: RefusedDocument[] = [];
  const all = total.train.documents + total.validation.documents;
  let done = 0;
  async function write(split: Split): Promise<TokenCard["splits"][Split]> {
    const counts = sources.map(emptyCounts);
    const bytesOf = spelledBytes(words.tokenizer);
    await using writer = await createTokenStore(joinPath(output, `${split}.tokens`), words.tokenizer.vocabularySize);
    for await (const row of documentRows(joinPath(folder, `${split}.jsonl`), signal)) {
      for (const { ids, spans } of await encodeRecord(words, reading, row, split, refused)) {
        await writer.add({ ids, spans, source: row.source });
        count(counts[row.source], ids, spans, bytesOf);
      }
      if (++done % 1000 === 0) onProgress?.({ label: "tokenize", done, total: all, unit: "items" });
    }
    return { ...sumOf(counts), ...(await writer.finish()), sources: counts };
  }
  const card: TokenCard = {
    version: 1,
    fingerprint: wordsFingerprint(words),
    vocabularySize: words.tokenizer.vocabularySize,
    splits: { train: await write("train"), validation: await write("validation") },
    refused,
  };
  await using file = await createFileWriter(joinPath(output, "card.json"));
  await file.append(new TextEncoder().encode(`${JSON.stringify(card, null, 2)}\n`));
  await file.finish();
  return card;
}

/** Where the tokens of prepared data are, read in a way. */
export const tokensFolder = (folder: string, reading: ReadingName): string =>
  joinPath(folder, reading === "documents" ? "tokens" : `tokens-${reading}`);

/** The card of the token stores; undefined where none were written. */
export async function readTokenCard(
  folder: string,
  reading: ReadingName = "documents",
): Promise<TokenCard | undefined> {
  const path = joinPath(tokensFolder(folder, reading), "card.json");
  if ((await fileFacts(path)) === undefined) return undefined;
  const card = JSON.parse(await readText(path, CARD_BYTES_MAX)) as TokenCard;
  if (card.version === 1) return card;
  throw new FormatError(path, "version", card.version, "1", {
    hint: "Write the tokens again with `liang data tokenize`.",
  });
}

/** The store of a split. Throws NotFoundError where the folder was not tokenized. */
export async function openSplit(folder: string, split: Split, reading: ReadingName = "documents"): Promise<TokenStore> {
  if ((await readTokenCard(folder, reading)) === undefined) {
    throw new NotFoundError(`${folder} has no tokens.`, { hint: "Write them with `liang data tokenize`." });
  }
  return await openTokenStore(joinPath(tokensFolder(folder, reading), `${split}.tokens`));
}

/** Documents of a prepared file, in order. Throws FormatError for a line that is none: the file was changed. */
export async function* documentRows(path: string, signal?: AbortSignal): AsyncGenerator<DocumentRow> {
  const file = await openFile(path);
  try {
    for await (const row of jsonRows(byteChunks(file, { signal }), path)) {
      if ("broken" in row) throw new FormatError(path, `line ${row.line}`, row.broken, "a document");
      yield row.value as DocumentRow;
    }
  } finally {
    await file.close();
  }
}

async function encodeRecord(
  words: TrainingWords,
  reading: ReadingName,
  row: DocumentRow,
  split: Split,
  refused: RefusedDocument[],
): Promise<readonly EncodedConversation[]> {
  try {
    return await readings[reading].encode(words, row);
  } catch (error) {
    if (!(error instanceof ConversationError)) throw error;
    refused.push({ source: row.source, line: row.line, split, reason: error.message });
    return [];
  }
}

/** Bytes that an id spells, asked once each. */
function spelledBytes(tokenizer: Tokenizer): (id: number) => number {
  const known = new Int32Array(tokenizer.vocabularySize).fill(-1);
  return (id) => {
    if (known[id] < 0) known[id] = tokenizer.isSpecial(id) ? 0 : tokenizer.tokenBytes(id).length;
    return known[id];
  };
}

function count(
  counts: TokenCounts,
  ids: readonly number[],
  spans: EncodedConversation["spans"],
  bytesOf: (id: number) => number,
): void {
  counts.documents++;
  counts.tokens += ids.length;
  for (const [start, end] of spans) {
    counts.learnt += end - start;
    for (let i = start; i < end; i++) counts.learntBytes += bytesOf(ids[i]);
  }
}

function sumOf(parts: readonly TokenCounts[]): TokenCounts {
  const total = emptyCounts();
  for (const part of parts) {
    for (const name of Object.keys(total) as (keyof TokenCounts)[]) total[name] += part[name];
  }
  return total;
}
