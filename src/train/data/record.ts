// What training data is once it is read: texts, conversations, and what compares answers or texts, each with the place it comes from. Not here: how rows
// become these (row-shapes.ts), how they become tokens (readings.ts).
import type { Message, Tool } from "../../chat/types.ts";

export interface TextRecord {
  readonly text: string;
}

/** An assistant message of `weight` 0 is read, not learnt (OpenAI's fine-tuning files have it so). */
export type TrainingMessage = Message & { readonly weight?: number };

export interface ConversationRecord {
  readonly messages: readonly TrainingMessage[];
  readonly tools?: readonly Tool[];
}

/** What was asked, and the better and the worse answer to it, or one alone that somebody called good or bad. */
export interface PreferenceRecord {
  readonly prompt: readonly TrainingMessage[];
  readonly chosen?: readonly TrainingMessage[];
  readonly rejected?: readonly TrainingMessage[];
  readonly tools?: readonly Tool[];
}

/** Texts that belong together, and one that does not belong to the query. */
export interface RetrievalRecord {
  readonly query: string;
  readonly positive: string;
  readonly negative?: string;
}

export type DataRecord = TextRecord | ConversationRecord | PreferenceRecord | RetrievalRecord;

/** Where something was read. */
export interface Origin {
  /** Index of the source in the data card. */
  readonly source: number;
  /** From 1: of the line where it begins, or of the row in Parquet. */
  readonly line: number;
}

/** What a reader gives: every piece of a file is a record or broken with a reason. */
export type ReadItem = Origin & ({ readonly record: DataRecord } | { readonly broken: string });

/** A record with its origin, as the files of prepared data hold one a line. */
export type DocumentRow = Origin & DataRecord;

/** All that a record says, for filters and for finding duplicates: of a conversation its messages, a line each. */
export function textOfRecord(record: DataRecord): string {
  if ("text" in record) return record.text;
  if ("query" in record) return [record.query, record.positive, record.negative ?? ""].join("\n").trimEnd();
  return messagesOf(record)
    .map(({ content, tool_calls: calls }) => sayings(content, calls))
    .join("\n");
}

function sayings(content: Message["content"], calls: Message["tool_calls"]): string {
  const said = typeof content === "string" ? [content] : (content ?? []).map((part) => part.text ?? "");
  return [...said, ...(calls ?? []).map((call) => JSON.stringify(call.function))].join("\n");
}

const messagesOf = (record: ConversationRecord | PreferenceRecord): readonly TrainingMessage[] =>
  "messages" in record ? record.messages : [...record.prompt, ...(record.chosen ?? []), ...(record.rejected ?? [])];

/** The same for records that say the same, byte for byte but for blanks and the Unicode form. */
export function contentOfRecord(record: DataRecord): string {
  const content = "text" in record ? record.text : JSON.stringify(partsOf(record));
  return content.normalize("NFC").replaceAll(/\s+/g, " ").trim();
}

function partsOf(record: Exclude<DataRecord, TextRecord>): unknown[] {
  if ("query" in record) return [record.query, record.positive, record.negative ?? ""];
  if ("messages" in record) return [record.messages, record.tools ?? []];
  return [record.prompt, record.chosen ?? null, record.rejected ?? null, record.tools ?? []];
}
