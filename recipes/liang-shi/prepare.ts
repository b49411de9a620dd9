// Prepares the poems that the model learns from:
//   node scripts/node.mjs recipes/liang-shi/prepare.ts --from CHECKOUT [--from MORE] --to FOLDER [--original]
// Reads chinese-poetry (sources.ts), cleans and folds to simplified script (clean.ts), leaves out duplicates and
// near-duplicates, holds out 2 % by clusters of these. Writes train.jsonl and validation.jsonl, a poem a line: form, title,
// author, dynasty, text (and original, its own script, where asked); poems.json, what was read and left out; card.json, so
// that the folder is prepared data as `liang data tokenize` takes it. The same input gives the same bytes.
import { hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/base/errors.ts";
import { uniform } from "../../src/base/random.ts";
import { memorySource } from "../../src/base/source.ts";
import {
  CARD_FILE,
  CARD_TEXT_FILE,
  type DataCard,
  type Split,
  cardText,
  emptyCounts,
  splits,
  totalOf,
} from "../../src/train/data/data-card.ts";
import { type FileSummary, createLineWriter } from "../../src/train/data/line-file.ts";
import { BAND_KEY_BYTES, bandKeys, findClusters } from "../../src/train/data/near-duplicates.ts";
import { shinglesOf } from "../../src/train/data/shingles.ts";
import { checkForm, classify, isForm } from "../../src/train/rewards/forms.ts";
import { ciForms } from "../../src/train/rewards/tunes.ts";
import { type Refusal, cleanName, cleanPoem } from "./clean.ts";
import { type RawPoem, readPoems } from "./sources.ts";

export interface Poem {
  /** 五绝 七绝 五律 七律 五古 七古 杂言; of a ci its tune where it has one of the tune's known forms, else 词. */
  readonly form: string;
  /** Of a ci: its tune. */
  readonly title: string;
  readonly author: string;
  readonly dynasty: string;
  readonly text: string;
  /** The text in the script of its source. */
  readonly original?: string;
}

export interface PoemCounts {
  read: number;
  readCharacters: number;
  refused: Partial<Record<Refusal, number>>;
  duplicates: number;
  nearDuplicates: number;
  train: number;
  validation: number;
  trainCharacters: number;
  validationCharacters: number;
  forms: Record<string, number>;
}

const SPLIT_STREAM = 0x9e3; // of random numbers; any number of its own
const LICENCE = "MIT (chinese-poetry/chinese-poetry)";
const VALIDATION_SHARE = 0.02;
const ALIKE = 0.7; // Jaccard index of runs of three characters, as prepared data has it everywhere

export interface PreparedPoems {
  readonly train: readonly Poem[];
  readonly validation: readonly Poem[];
  readonly counts: PoemCounts;
}

/** Cleans, folds, drops duplicates and splits; poems stay in the order of reading. */
export async function preparePoems(
  poems: AsyncIterable<RawPoem> | Iterable<RawPoem>,
  { validationShare = VALIDATION_SHARE, seed = 0, original = false } = {},
): Promise<PreparedPoems> {
  const counts: PoemCounts = {
    read: 0,
    readCharacters: 0,
    refused: {},
    duplicates: 0,
    nearDuplicates: 0,
    train: 0,
    validation: 0,
    trainCharacters: 0,
    validationCharacters: 0,
    forms: {},
  };
  const known = new Set<string>();
  const kept: Poem[] = [];
  for await (const raw of poems) {
    counts.read++;
    counts.readCharacters += lengthOf(raw.text);
    const cleaned = cleanPoem(raw.text);
    if ("refused" in cleaned) {
      counts.refused[cleaned.refused] = (counts.refused[cleaned.refused] ?? 0) + 1;
      continue;
    }
    const letters = cleaned.text.replaceAll(/[，。？！；、]/g, "");
    if (known.has(letters)) {
      counts.duplicates++;
      continue;
    }
    known.add(letters);
    kept.push(poemOf(raw, cleaned.text, original));
  }
  const firstOf = await clustersOf(kept);
  const hashes = kept.map(({ text }) => hashOf(text));
  const clusterHash = new Map<number, number>(); // the least of a cluster's: adding a poem elsewhere moves no other
  for (const [i, value] of hashes.entries())
    clusterHash.set(firstOf(i), Math.min(value, clusterHash.get(firstOf(i)) ?? Infinity));

  const split = { train: [] as Poem[], validation: [] as Poem[] };
  for (const [i, poem] of kept.entries()) {
    if (firstOf(i) !== i) {
      counts.nearDuplicates++;
      continue;
    }
    const side = uniform(seed, SPLIT_STREAM, clusterHash.get(i)!) < validationShare ? "validation" : "train";
    split[side].push(poem);
    counts[side]++;
    counts[`${side}Characters`] += lengthOf(poem.text);
    counts.forms[poem.form] = (counts.forms[poem.form] ?? 0) + 1;
  }
  return { ...split, counts };
}

function poemOf({ kind, title, author, dynasty, text: source }: RawPoem, text: string, original: boolean): Poem {
  const name = cleanName(title);
  const whole = original ? cleanPoem(source, false) : undefined;
  return {
    form: kind === "ci" ? ciFormOf(text, name) : poemFormOf(text),
    title: name,
    author: cleanName(author),
    dynasty,
    text,
    ...(whole !== undefined && "text" in whole && { original: whole.text }),
  };
}

const ciFormOf = (text: string, tune: string): string =>
  ciForms(tune) !== undefined && isForm(tune) && checkForm(text, tune).fits ? tune : "词";

function poemFormOf(text: string): string {
  const form = classify(text);
  return form === undefined || ciForms(form) !== undefined ? "杂言" : form;
}

async function clustersOf(poems: readonly Poem[]): Promise<(poem: number) => number> {
  const keys = new Uint32Array((poems.length * BAND_KEY_BYTES) / 4);
  const shingleCounts = new Uint32Array(poems.length);
  for (const [i, { text }] of poems.entries()) {
    const shingles = shinglesOf(text);
    keys.set(bandKeys(shingles), (i * BAND_KEY_BYTES) / 4);
    shingleCounts[i] = shingles.length;
  }
  const { clusters } = await findClusters({
    keys: memorySource("band keys", new Uint8Array(keys.buffer)),
    shingleCounts,
    shingles: (poem) => Promise.resolve(shinglesOf(poems[poem].text)),
    threshold: ALIKE,
  });
  return (poem) => clusters.first(poem);
}

const lengthOf = (text: string): number => Array.from(text).length;
const hashOf = (text: string): number => Number.parseInt(hash("sha256", text).slice(0, 13), 16); // 52 bits

/** Distinct characters, and how many of the most common make up these shares of the text. */
function coverageOf(poems: readonly Poem[]): { distinct: number; coverage: Record<string, number> } {
  const frequencies = new Map<string, number>();
  for (const { text } of poems) for (const letter of text) frequencies.set(letter, (frequencies.get(letter) ?? 0) + 1);
  const sorted = [...frequencies.values()].sort((a, b) => b - a);
  const total = sorted.reduce((sum, count) => sum + count, 0);
  const coverage: Record<string, number> = {};
  for (const share of [0.95, 0.98, 0.99, 0.995, 0.999]) {
    let covered = 0;
    coverage[`${share * 100} %`] = sorted.findIndex((count) => (covered += count) >= share * total) + 1;
  }
  return { distinct: sorted.length, coverage };
}

async function writePoems(folder: string, split: Split, poems: readonly Poem[]): Promise<FileSummary> {
  await using writer = await createLineWriter(folder, `${split}.jsonl`);
  const source = splits.indexOf(split);
  for (const [i, poem] of poems.entries()) await writer.write({ source, line: i + 1, ...poem });
  return await writer.finish();
}

/** The card that training reads; its sources are the two files themselves, whose rows say which and where. */
function cardOf(poems: PreparedPoems, files: readonly FileSummary[], seed: number): DataCard {
  const sources = splits.map((split, i) => ({
    path: files[i].name,
    format: "json" as const,
    bytes: files[i].bytes,
    sha256: files[i].sha256,
    licence: LICENCE,
    ...emptyCounts(),
    read: poems[split].length,
    [split]: {
      documents: poems[split].length,
      characters: poems.counts[`${split}Characters`],
      bytes: poems[split].reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    },
  }));
  const settings = {
    documents: "poem",
    rules: [],
    duplicates: "remove" as const,
    alike: ALIKE,
    validationShare: VALIDATION_SHARE,
    seed,
  };
  return { version: 1, settings, sources, total: totalOf(sources), skippedFiles: [], files };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      from: { type: "string", multiple: true },
      to: { type: "string" },
      original: { type: "boolean", default: false },
      seed: { type: "string", default: "0" },
    },
  });
  if (values.from === undefined || values.to === undefined) {
    throw new UsageError("Give --from, a checkout of chinese-poetry, and --to, a folder.", { field: "from" });
  }
  const { train, validation, counts } = await preparePoems(readPoems(values.from), {
    seed: Number(values.seed),
    original: values.original,
  });
  mkdirSync(values.to, { recursive: true });
  const files = [await writePoems(values.to, "train", train), await writePoems(values.to, "validation", validation)];
  const facts = {
    source: "chinese-poetry/chinese-poetry: 全唐诗, 全宋诗, 宋词",
    licence: LICENCE,
    script: "simplified (OpenCC t2s)",
    counts: { ...counts, forms: Object.fromEntries(Object.entries(counts.forms).sort((a, b) => b[1] - a[1])) },
    characters: coverageOf(train),
    files,
  };
  const card = cardOf({ train, validation, counts }, files, Number(values.seed));
  writeFileSync(join(values.to, "poems.json"), `${JSON.stringify(facts, null, 2)}\n`);
  writeFileSync(join(values.to, CARD_TEXT_FILE), cardText(card));
  writeFileSync(join(values.to, CARD_FILE), `${JSON.stringify(card, null, 2)}\n`);
  console.log(JSON.stringify({ ...facts, counts: { ...counts, forms: undefined } }, null, 2));
}
