// The database's shape, as steps: step n brings a database of version n (SQLite's user_version) to n + 1. A step, once
// released, is never edited; a new shape is a new step. Runs in one transaction, so a crash leaves the old shape.
import type { DatabaseSync } from "node:sqlite";
import { UnsupportedError } from "../base/errors.ts";

const STEPS: readonly string[] = [
  // `folded` columns hold the text as search compares it (fold.ts).
  `CREATE TABLE conversations (
     id TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     folded TEXT NOT NULL,
     model TEXT,
     settings TEXT NOT NULL,
     head TEXT,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX conversations_by_update ON conversations (updated_at DESC, id DESC);
   CREATE TABLE messages (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
     parent TEXT REFERENCES messages (id),
     role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
     content TEXT NOT NULL,
     folded TEXT NOT NULL,
     status TEXT NOT NULL CHECK (status IN ('complete', 'stopped', 'failed')),
     detail TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX messages_by_conversation ON messages (conversation, number);
   CREATE INDEX messages_by_parent ON messages (parent);
   CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
];

/** Brings the database to the newest shape. Throws UnsupportedError when a newer Liang has written it. */
export function migrate(database: DatabaseSync, file: string): void {
  database.exec("BEGIN IMMEDIATE"); // two processes opening a new database: the second waits, then finds it done
  try {
    const row = database.prepare("PRAGMA user_version").get() as { user_version: number };
    if (row.user_version > STEPS.length) {
      throw new UnsupportedError(`${file} has version ${row.user_version}, this Liang knows ${STEPS.length}.`, {
        hint: "Update Liang, or set LIANG_HOME to another folder.",
      });
    }
    for (const step of STEPS.slice(row.user_version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${STEPS.length}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
