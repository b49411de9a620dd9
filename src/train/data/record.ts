// What training data is once it is read: texts and conversations, each with the place it comes from. Not here: how rows
// become these (row-shapes.ts), how they become tokens (document-encoder.ts).
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

export type DataRecord = TextRecord | ConversationRecord;

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
  return record.messages.map(({ content, tool_calls: calls }) => sayings(content, calls)).join("\n");
}

function sayings(content: Message["content"], calls: Message["tool_calls"]): string {
  const said = typeof content === "string" ? [content] : (content ?? []).map((part) => part.text ?? "");
  return [...said, ...(calls ?? []).map((call) => JSON.stringify(call.function))].join("\n");
}

/** The same for records that say the same, byte for byte but for blanks and the Unicode form. */
export function contentOfRecord(record: DataRecord): string {
  const content = "text" in record ? record.text : JSON.stringify([record.messages, record.tools ?? []]);
  return content.normalize("NFC").replaceAll(/\s+/g, " ").trim();
}
