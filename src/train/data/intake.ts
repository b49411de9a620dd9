// The first half of preparing data: every record of every source is read once; what is broken, breaks a rule or was there
// before is left out by name, the rest goes to the spool. Not here: near-duplicates and the split (prepare.ts).
import { type Column, createColumn } from "./column.ts";
import { type ContentIndex, createContentIndex } from "./content-index.ts";
import type { Counts } from "./data-card.ts";
import type { Filter } from "./filters.ts";
import type { LineWriter } from "./line-file.ts";
import { type Origin, type ReadItem, contentOfRecord, textOfRecord } from "./record.ts";
import type { SpoolWriter } from "./spool.ts";

/** Why a record is in neither split, as a line of left-out.jsonl. */
export type LeftOut = Origin &
  (
    | { readonly reason: "broken"; readonly detail: string }
    | { readonly reason: "filter"; readonly rule: string }
    | { readonly reason: "exact duplicate" | "near duplicate"; readonly of: Origin }
  );

export interface Intake {
  /** Takes a record, or leaves it out and says so. */
  add(item: ReadItem, counts: Counts): Promise<void>;
  /** Where a document (numbered as the spool has them) comes from. */
  originOf(document: number): Origin;
  /** The first document that says the same, word for word. */
  firstAlike(document: number): number;
  /** 53 bits that tell what a document says. */
  hashOf(document: number): number;
}

export function createIntake(
  rules: readonly Filter[],
  duplicates: "remove" | "keep",
  spool: Pick<SpoolWriter, "add">,
  leftOut: Pick<LineWriter, "write">,
): Intake {
  const index: ContentIndex = createContentIndex();
  const firstOf: Column<Uint32Array> = createColumn(Uint32Array); // by content
  const contentOf: Column<Uint32Array> = createColumn(Uint32Array); // by document
  const sources: Column<Uint32Array> = createColumn(Uint32Array);
  const lines: Column<Uint32Array> = createColumn(Uint32Array);
  const originOf = (document: number): Origin => ({ source: sources.at(document), line: lines.at(document) });
  const leave = (row: LeftOut): Promise<void> => leftOut.write(row);

  return {
    originOf,
    firstAlike: (document) => firstOf.at(contentOf.at(document)),
    hashOf: (document) => index.hashOf(contentOf.at(document)),
    async add(item, counts) {
      const { source, line } = item;
      counts.read++;
      if ("broken" in item) {
        counts.broken++;
        await leave({ source, line, reason: "broken", detail: item.broken });
        return;
      }
      const text = textOfRecord(item.record);
      const rule = rules.find(({ keeps }) => !keeps(text))?.name;
      if (rule !== undefined) {
        counts.filtered[rule] = (counts.filtered[rule] ?? 0) + 1;
        await leave({ source, line, reason: "filter", rule });
        return;
      }
      const content = index.add(contentOfRecord(item.record));
      const isNew = content === firstOf.length;
      if (!isNew && duplicates === "remove") {
        counts.exactDuplicates++;
        await leave({ source, line, reason: "exact duplicate", of: originOf(firstOf.at(content)) });
        return;
      }
      if (isNew) firstOf.push(contentOf.length);
      contentOf.push(content);
      sources.push(source);
      lines.push(line);
      await spool.add({ source, line, ...item.record });
    },
  };
}
