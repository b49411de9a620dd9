// What `--importance` names: the person's own conversations, a text, or a file with an importance matrix.
import { basename } from "node:path";
import { UsageError } from "../base/errors.ts";
import { storedChats } from "../chat/stored-chats.ts";
import {
  type Importance,
  type MeasuredImportance,
  isImportanceFile,
  measureImportance,
  readImportance,
  writeImportance,
} from "../quantize/index.ts";
import { openDataFolder, openSqliteStorage } from "../store/index.ts";
import type { ProgressBar } from "./progress-bar.ts";
import { note } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";

/** Stands for the stored conversations; a file of that name is ./chats. */
const CHATS = "chats";

interface ImportanceOptions {
  readonly importance?: string;
  readonly "save-importance"?: string;
  readonly threads?: number;
}

/** Undefined: none was asked for. `from`: the model's path. */
export async function importanceOf(
  from: string,
  options: ImportanceOptions,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<Importance | undefined> {
  const { importance: named, "save-importance": target, threads } = options;
  if (named === undefined) {
    if (target === undefined) return undefined;
    throw new UsageError("--save-importance needs a text.", { field: "importance", hint: "Name one by --importance." });
  }
  const settings = { onProgress: bar.report, signal, ...(threads !== undefined && { threads }) };
  if (named !== CHATS && (await isImportanceFile(named))) return await readImportance(named);
  const measured =
    named === CHATS
      ? await chatsImportance(from, settings)
      : await measureImportance(from, await readTextFile(named), settings);
  bar.end();
  tellChats(measured);
  if (target !== undefined) await writeImportance(target, measured, basename(named));
  return measured.importance;
}

async function chatsImportance(
  from: string,
  settings: Parameters<typeof measureImportance>[2],
): Promise<MeasuredImportance> {
  await using storage = openSqliteStorage(openDataFolder());
  return await measureImportance(from, storedChats(storage.conversations), settings);
}

function tellChats({ conversations, tokens }: MeasuredImportance): void {
  if (conversations === undefined) return;
  const { read, refused, refusal } = conversations;
  note(`Importances are of ${read} conversation${read === 1 ? "" : "s"}, ${tokens} tokens.`);
  if (refused > 0) note(`The model's template refuses ${refused} more, the first because: ${refusal}`);
}
