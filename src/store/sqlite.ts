// Storage in one SQLite file (node:sqlite): conversations and settings. WAL, so that a reader never waits for the
// writer; foreign keys on. The calls underneath are synchronous and short. Shape: migrations.ts; interface: storage.ts.
import { DatabaseSync } from "node:sqlite";
import type { SettingsStore, Storage } from "./storage.ts";
import { migrate } from "./migrations.ts";
import { createConversationStore } from "./sqlite-conversations.ts";

// Another process may be writing: wait this long for it before failing.
const BUSY_WAIT_MS = 5_000;

/** Opens (or makes) the database `file`; ":memory:" for one that is gone at close. Throws UnsupportedError. */
export function openSqliteStorage(file: string): Storage {
  const database = new DatabaseSync(file, { timeout: BUSY_WAIT_MS, enableForeignKeyConstraints: true });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    migrate(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
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
