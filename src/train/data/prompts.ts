// What a model is asked while it learns from its own replies: rows with a prompt or messages, and whatever else their
// judge wants to know.
import { createHash } from "node:crypto";
import { NotFoundError, UsageError } from "../../base/errors.ts";
import type { Message } from "../../chat/types.ts";
import { unpackedChunks } from "../../format/byte-chunks.ts";
import { jsonRows } from "../../format/json-rows.ts";
import { fileFacts, openFile } from "#platform";

export interface PromptRow {
  /** From 1. */
  readonly line: number;
  readonly messages: readonly Message[];
  /** The row as it is in the file. */
  readonly row: Readonly<Record<string, unknown>>;
}

export interface PromptFile {
  readonly prompts: readonly PromptRow[];
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

/** Reads a file of JSON rows with `prompt`, a text, or `messages`. Throws UsageError that names the line. */
export async function readPrompts(path: string): Promise<PromptFile> {
  if ((await fileFacts(path))?.kind !== "file") throw new NotFoundError(`There is no file ${path} of prompts.`);
  const hash = createHash("sha256");
  const prompts: PromptRow[] = [];
  const file = await openFile(path);
  try {
    for await (const read of jsonRows(unpackedChunks(file, { onBytes: (bytes) => hash.update(bytes) }), path)) {
      const broken = (why: string): UsageError =>
        new UsageError(`${path}, line ${read.line}: ${why}.`, { field: "data" });
      if ("broken" in read) throw broken(read.broken);
      const row = read.value as Readonly<Record<string, unknown>>;
      const messages = typeof row === "object" && row !== null ? messagesOf(row) : undefined;
      if (messages === undefined) {
        throw broken('expected an object with "prompt", a text, or "messages", of which the last is not the model\'s');
      }
      prompts.push({ line: read.line, messages, row });
    }
  } finally {
    await file.close();
  }
  if (prompts.length === 0) throw new UsageError(`${path} has no prompt.`, { field: "data" });
  return { prompts, sha256: hash.digest("hex") };
}

function messagesOf({ prompt, messages }: Readonly<Record<string, unknown>>): readonly Message[] | undefined {
  if (typeof prompt === "string") return [{ role: "user", content: prompt }];
  if (!Array.isArray(messages)) return undefined;
  const isMessage = (value: unknown): value is Message =>
    typeof value === "object" && value !== null && "role" in value && "content" in value;
  return messages.every(isMessage) && messages.length > 0 && messages.at(-1)!.role !== "assistant"
    ? messages
    : undefined;
}

/** What the last message says. */
export function promptText({ messages }: PromptRow): string {
  const content = messages.at(-1)!.content ?? "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
}
