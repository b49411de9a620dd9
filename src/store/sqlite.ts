// Storage in one SQLite file (node:sqlite): conversations and settings. WAL, so that a reader never waits for the
// writer; foreign keys on. The calls underneath are synchronous and short. Shape: migrations.ts; interface: storage.ts.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FormatError, LiangError } from "../base/errors.ts";
import type { SettingsStore, Storage } from "./storage.ts";
import { migrate } from "./migrations.ts";
import { createConversationStore } from "./sqlite-conversations.ts";

// Another process may be writing: wait this long for it before failing.
const BUSY_WAIT_MS = 5_000;
const NOT_A_DATABASE = 26; // SQLite's SQLITE_NOTADB

/**
 * Opens (or makes) `liang.db` in the data folder; ":memory:" for a database that is gone at close. Throws UnsupportedError
 * (a newer Liang wrote it), FormatError (no database), LiangError "cannot_open".
 */
export function openSqliteStorage(folder: string): Storage {
  const file = folder === ":memory:" ? folder : join(folder, "liang.db");
  const database = openDatabase(file);
  const close = async () => {
    if (database.isOpen) database.close();
  };
  return {
    conversations: createConversationStore(database),
    settings: createSettingsStore(database),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Made here first where it is new: chats are for their owner's eyes, whatever the folder allows.
    if (file !== ":memory:") closeSync(openSync(file, "a", 0o600));
    database = new DatabaseSync(file, { timeout: BUSY_WAIT_MS, enableForeignKeyConstraints: true });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    migrate(database, file);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof LiangError) throw error;
    const { message, errcode } = error as Error & { errcode?: number };
    if (errcode === NOT_A_DATABASE) {
      const hint = "Move it away to begin with an empty one.";
      throw new FormatError(file, "content", message, "an SQLite database", { cause: error, hint });
    }
    throw new LiangError("cannot_open", `Cannot open ${file}: ${message}.`, { cause: error });
  }
}

function createSettingsStore(database: DatabaseSync): SettingsStore {
  return {
    async get(key) {
      const row = database.prepare("SELECT value FROM settings WHERE key = ?").get(key);
      return row === undefined ? undefined : (JSON.parse(row["value"] as string) as unknown);
    },
    async set(key, value) {
      database
        .prepare(
          "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .run(key, JSON.stringify(value));
    },
  };
}
