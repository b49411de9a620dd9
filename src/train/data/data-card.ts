// The data card: what a data set was made of, by which rules, and what was left out; as JSON and for people. It lies with
// the data, and a training run keeps a copy. Not here: counting (prepare.ts).
import type { FileSummary } from "./line-file.ts";
import type { DataFormat } from "../../base/data-files.ts";

export const CARD_FILE = "card.json";
export const CARD_TEXT_FILE = "card.md";
export const splits = ["train", "validation"] as const;
export type Split = (typeof splits)[number];

export interface SplitCounts {
  documents: number;
  /** Code points. */
  characters: number;
  /** UTF-8 bytes of the texts. */
  bytes: number;
}

export interface Counts {
  /** Records read, broken ones too. */
  read: number;
  broken: number;
  /** By rule. */
  filtered: Record<string, number>;
  exactDuplicates: number;
  nearDuplicates: number;
  train: SplitCounts;
  validation: SplitCounts;
}

export interface SourceCard extends Counts {
  readonly path: string;
  readonly format: DataFormat;
  readonly bytes: number;
  readonly sha256: string;
  /** As it was given; missing: nobody said. */
  readonly licence?: string;
}

export interface DataCard {
  readonly version: 1;
  readonly settings: {
    readonly documents: string;
    /** How rows became texts; missing: by their shapes. */
    readonly text?: string;
    readonly rules: readonly string[];
    readonly duplicates: "remove" | "keep";
    /** Jaccard index of shingles from which on two documents are near-duplicates. */
    readonly alike: number;
    readonly validationShare: number;
    readonly seed: number;
  };
  readonly sources: readonly SourceCard[];
  readonly total: Counts;
  /** Files in the folders given that are of no kind that is read. */
  readonly skippedFiles: readonly string[];
  readonly files: readonly FileSummary[];
}

export const emptyCounts = (): Counts => ({
  read: 0,
  broken: 0,
  filtered: {},
  exactDuplicates: 0,
  nearDuplicates: 0,
  train: { documents: 0, characters: 0, bytes: 0 },
  validation: { documents: 0, characters: 0, bytes: 0 },
});

/** The counts of all sources together. */
export function totalOf(parts: readonly Counts[]): Counts {
  const total = emptyCounts();
  for (const part of parts) {
    total.read += part.read;
    total.broken += part.broken;
    total.exactDuplicates += part.exactDuplicates;
    total.nearDuplicates += part.nearDuplicates;
    for (const [rule, count] of Object.entries(part.filtered))
      total.filtered[rule] = (total.filtered[rule] ?? 0) + count;
    for (const split of splits) {
      total[split].documents += part[split].documents;
      total[split].characters += part[split].characters;
      total[split].bytes += part[split].bytes;
    }
  }
  return total;
}

/** The card as Markdown. */
export function cardText({ settings, sources, total, skippedFiles, files }: DataCard): string {
  const filtered = (counts: Counts): number => Object.values(counts.filtered).reduce((a, b) => a + b, 0);
  const row = (name: string, counts: Counts): string =>
    table([
      name,
      counts.read,
      counts.broken,
      filtered(counts),
      counts.exactDuplicates,
      counts.nearDuplicates,
      counts.train.documents,
      counts.validation.documents,
      counts.train.characters + counts.validation.characters,
    ]);
  const head = [
    "source",
    "read",
    "broken",
    "filtered",
    "duplicates",
    "near-duplicates",
    "train",
    "validation",
    "characters",
  ];
  return [
    "# Data card",
    "",
    `${total.train.documents} documents to train on, ${total.validation.documents} held out.`,
    "",
    table(head),
    table(head.map(() => "---")),
    ...sources.map((source) => row(source.path, source)),
    row("all", total),
    "",
    "## Rules",
    "",
    `- Plain text is a document a ${settings.documents}.`,
    ...(settings.text === undefined ? [] : [`- Rows become texts as ${JSON.stringify(settings.text)}.`]),
    ...settings.rules.map((rule) => `- Kept where ${rule}: ${total.filtered[rule] ?? 0} left out.`),
    `- Duplicates: ${settings.duplicates === "remove" ? "the first one stays" : "all stay, on one side of the split"}. Near-duplicates`,
    `  are alike from ${settings.alike} on (Jaccard index of runs of three words or characters).`,
    `- ${settings.validationShare * 100} % held out, by a hash of what a cluster of near-duplicates says and seed ${settings.seed}:`,
    "  none of a cluster is on both sides.",
    "- left-out.jsonl names every record that is not in the data, and why.",
    ...(skippedFiles.length === 0 ? [] : ["", "## Files not read", "", ...skippedFiles.map((path) => `- ${path}`)]),
    "",
    "## Sources",
    "",
    table(["file", "format", "bytes", "licence", "SHA-256"]),
    table(["---", "---", "---", "---", "---"]),
    ...sources.map((source) =>
      table([source.path, source.format, source.bytes, source.licence ?? "not stated", source.sha256]),
    ),
    "",
    "## Files",
    "",
    table(["file", "bytes", "SHA-256"]),
    table(["---", "---", "---"]),
    ...files.map((file) => table([file.name, file.bytes, file.sha256])),
    "",
  ].join("\n");
}

const table = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
