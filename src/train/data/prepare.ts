// Raw files → a folder of clean documents, split into train and validation: read, filter, remove duplicates, split.
// In the folder: train.jsonl, validation.jsonl, left-out.jsonl (every record that is in neither, and why), card.json and
// card.md. The card is written last: a folder with a card is whole. Not here: tokens (tokenize.ts).
import type { DataFormat } from "../../base/data-files.ts";
import { FormatError, UsageError } from "../../base/errors.ts";
import type { OnProgress } from "../../base/progress.ts";
import { uniform } from "../../base/random.ts";
import { createFileWriter, fileFacts, joinPath, makeFolder, readText, remove } from "#platform";
import * as card from "./data-card.ts";
import { DEFAULT_RULES, characterCount, parseFilter } from "./filters.ts";
import { type Intake, type LeftOut, createIntake } from "./intake.ts";
import { type FileSummary, type LineWriter, createLineWriter } from "./line-file.ts";
import { BANDS, type Clusters, findClusters } from "./near-duplicates.ts";
import { textOfRecord } from "./record.ts";
import { type FoundSources, type ReadOptions, type SourceFacts, findSources, readSource } from "./sources.ts";
import { type Spool, createSpool } from "./spool.ts";

/** Random numbers of the split; other uses have other streams. */
const SPLIT_STREAM = 0x5b117;
const CARD_BYTES_MAX = 64e6;

export interface PrepareOptions extends ReadOptions {
  /** What files named themselves are; default: by their names. */
  readonly format?: DataFormat;
  /** Rules that a text must keep, such as "letters>=0.5", beside those that all must. */
  readonly keep?: readonly string[];
  /** Default "remove": of every cluster the first stays. "keep": all stay, on one side of the split. */
  readonly duplicates?: "remove" | "keep";
  /** Jaccard index of shingles from which on documents are near-duplicates. Default 0.7. */
  readonly alike?: number;
  /** Share of documents held out. Default 0.02. */
  readonly validationShare?: number;
  readonly seed?: number;
  /** The licence of a source, by its path as given or found. */
  readonly licenceOf?: (path: string) => string | undefined;
  /** Replace prepared data that is there. */
  readonly force?: boolean;
  readonly onProgress?: OnProgress;
}

/**
 * Prepares the files and folders `paths` into the folder `output`.
 *
 * Throws NotFoundError and FormatError for files that cannot be read at all, UsageError where `output` holds data
 * already or an option is wrong. Broken records are no errors: they are counted, and named in left-out.jsonl.
 */
export async function prepareData(
  paths: readonly string[],
  output: string,
  options: PrepareOptions = {},
): Promise<card.DataCard> {
  const { alike = 0.7, validationShare = 0.02, seed = 0, duplicates = "remove", documents = "file", text } = options;
  checkShare("alike", alike);
  checkShare("validationShare", validationShare);
  const rules = [...new Set([...DEFAULT_RULES, ...(options.keep ?? [])])].map(parseFilter);
  const found = await findSources(paths, options.format);
  if (found.sources.length === 0) throw new UsageError(`There are no data files in ${paths.join(", ")}.`);
  await claimFolder(output, options.force ?? false);

  const counts = found.sources.map(card.emptyCounts);
  await using leftOut = await createLineWriter(output, "left-out.jsonl");
  await using spooling = await createSpool(output);
  const intake = createIntake(rules, duplicates, spooling, leftOut);
  const facts = await readAll(found, intake, counts, options);

  await using spool = await spooling.finish();
  const clusters = await clustersOf(spool, intake, alike, options);
  const isHeldOut = heldOut(spool.documents, clusters, intake, validationShare, seed);
  const removed = duplicates === "remove" ? clusters : undefined;
  const files = await writeSplits(spool, { output, counts, intake, leftOut, isHeldOut, removed }, options.signal);

  const names = rules.map(({ name }) => name);
  const result: card.DataCard = {
    version: 1,
    settings: {
      documents,
      ...(text !== undefined && { text }),
      rules: names,
      duplicates,
      alike,
      validationShare,
      seed,
    },
    sources: found.sources.map((source, i) => {
      const licence = options.licenceOf?.(source.path);
      return { ...source, ...facts[i], ...(licence !== undefined && { licence }), ...counts[i] };
    }),
    total: card.totalOf(counts),
    skippedFiles: found.skipped,
    files,
  };
  await writeText(joinPath(output, card.CARD_TEXT_FILE), card.cardText(result));
  await writeText(joinPath(output, card.CARD_FILE), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

/** The card of prepared data. Throws NotFoundError where there is none, FormatError where it is of another version. */
export async function readCard(folder: string): Promise<card.DataCard> {
  const path = joinPath(folder, card.CARD_FILE);
  const content = await readText(path, CARD_BYTES_MAX);
  let value: card.DataCard;
  try {
    value = JSON.parse(content) as card.DataCard;
  } catch (cause) {
    throw new FormatError(path, "content", content, "JSON", { cause });
  }
  if (value.version === 1) return value;
  throw new FormatError(path, "version", value.version, "1", { hint: "Prepare the data again with this version." });
}

function checkShare(name: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new UsageError(`${name} is ${value}, expected a number from 0 to 1.`, { field: name });
}

/** Makes the folder; one with a card is somebody's data. The card goes first, so that what is half there is not taken. */
async function claimFolder(output: string, force: boolean): Promise<void> {
  const path = joinPath(output, card.CARD_FILE);
  const isTaken = (await fileFacts(path)) !== undefined;
  if (isTaken && !force) {
    throw new UsageError(`${output} holds prepared data already.`, {
      field: "output",
      hint: "Choose another folder, or replace it with --force.",
    });
  }
  await makeFolder(output);
  await remove(path);
}

async function readAll(
  { sources }: FoundSources,
  intake: Intake,
  counts: readonly card.Counts[],
  options: PrepareOptions,
): Promise<SourceFacts[]> {
  const facts: SourceFacts[] = [];
  let read = 0;
  for (const [i, source] of sources.entries()) {
    const items = readSource(source, i, options);
    for (let next = await items.next(); ; next = await items.next()) {
      if (next.done === true) {
        facts.push(next.value);
        break;
      }
      await intake.add(next.value, counts[i]);
      if (++read % 1000 === 0) options.onProgress?.({ label: "read", done: read, total: undefined, unit: "items" });
    }
  }
  return facts;
}

async function clustersOf(spool: Spool, intake: Intake, alike: number, options: PrepareOptions): Promise<Clusters> {
  const { clusters } = await findClusters({
    keys: spool.keys,
    shingleCounts: spool.shingleCounts,
    shingles: (document) => spool.shingles(document),
    threshold: alike,
    onBand: (done) => options.onProgress?.({ label: "compare", done, total: BANDS, unit: "items" }),
    signal: options.signal,
  });
  for (let document = 0; document < spool.documents; document++) clusters.join(document, intake.firstAlike(document));
  return clusters;
}

/** Whether a document is in validation: a hash of its cluster (the least of its documents', in any order) decides. */
function heldOut(
  documents: number,
  clusters: Clusters,
  intake: Intake,
  share: number,
  seed: number,
): (document: number) => boolean {
  const hashes = new Float64Array(documents).fill(Infinity); // by the cluster's first document
  for (let document = 0; document < documents; document++) {
    const first = clusters.first(document);
    hashes[first] = Math.min(hashes[first], intake.hashOf(document));
  }
  return (document) => uniform(seed, SPLIT_STREAM, hashes[clusters.first(document)]) < share;
}

interface Writing {
  readonly output: string;
  readonly counts: readonly card.Counts[];
  readonly intake: Intake;
  readonly leftOut: LineWriter;
  readonly isHeldOut: (document: number) => boolean;
  /** Of each of these only the first document stays. */
  readonly removed: Clusters | undefined;
}

async function writeSplits(
  spool: Spool,
  { output, counts, intake, leftOut, isHeldOut, removed }: Writing,
  signal: AbortSignal | undefined,
): Promise<FileSummary[]> {
  await using train = await createLineWriter(output, "train.jsonl");
  await using validation = await createLineWriter(output, "validation.jsonl");
  const writers = { train, validation } satisfies Record<card.Split, LineWriter>;
  let document = 0;
  for await (const row of spool.rows()) {
    signal?.throwIfAborted();
    const first = removed?.first(document) ?? document;
    if (first !== document) {
      counts[row.source].nearDuplicates++;
      const { source, line } = row;
      await leftOut.write({ source, line, reason: "near duplicate", of: intake.originOf(first) } satisfies LeftOut);
    } else {
      const split = isHeldOut(document) ? "validation" : "train";
      const text = textOfRecord(row);
      const mine = counts[row.source][split];
      mine.documents++;
      mine.characters += characterCount(text);
      mine.bytes += Buffer.byteLength(text);
      await writers[split].write(row);
    }
    document++;
  }
  return [await train.finish(), await validation.finish(), await leftOut.finish()];
}

async function writeText(path: string, content: string): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(content));
  await file.finish();
}
