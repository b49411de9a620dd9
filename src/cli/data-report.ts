// What `liang data` prints of prepared data. Not here: the whole card (train/data/data-card.ts).
import type { DataCard } from "../train/data/data-card.ts";
import type { TokenCard } from "../train/data/tokenize.ts";
import { bytes, tabulate } from "./terminal.ts";

const REFUSED_SHOWN = 5;

export function preparedTable(folder: string, { total, sources, skippedFiles }: DataCard): string {
  const filtered = Object.entries(total.filtered);
  const rows: (readonly [string, string])[] = [
    ["read", `${total.read} records of ${sources.length} files`],
    ["broken", String(total.broken)],
    ...filtered.map(([rule, count]) => [`not ${rule}`, String(count)] as const),
    ["duplicates", String(total.exactDuplicates)],
    ["near-duplicates", String(total.nearDuplicates)],
    ["train", `${total.train.documents} documents, ${total.train.characters} characters, ${bytes(total.train.bytes)}`],
    [
      "validation",
      `${total.validation.documents} documents, ${total.validation.characters} characters, ${bytes(total.validation.bytes)}`,
    ],
    ...(skippedFiles.length === 0 ? [] : [["not read", `${skippedFiles.length} files of other kinds`] as const]),
  ];
  const isAllThere = total.read === total.train.documents + total.validation.documents;
  return [tabulate(rows), ...(isAllThere ? [] : [`${folder}/left-out.jsonl names what was left out.`])].join("\n");
}

export function tokenTable({ splits, vocabularySize, refused }: TokenCard): string {
  const rows = Object.entries(splits).map(([name, split]) => [
    name,
    `${split.documents} documents`,
    `${split.tokens} tokens`,
    `${split.learnt} learnt`,
    `${split.learnt === 0 ? "-" : (split.learntBytes / split.learnt).toFixed(2)} bytes a token`,
    bytes(split.bytes),
  ]);
  const shown = refused
    .slice(0, REFUSED_SHOWN)
    .map(({ split, line, reason }) => `  ${split}, line ${line} of its source: ${reason}`);
  return [
    tabulate(rows),
    `vocabulary ${vocabularySize}`,
    ...(refused.length === 0 ? [] : [`${refused.length} records are not among them:`, ...shown]),
  ].join("\n");
}
