// Conversations in SQLite: the ConversationStore of storage.ts. Rows ↔ objects here; SQL stands where it is used.
// Search scans the folded texts by substring (a hundred thousand messages take a fraction of a second).
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { NotFoundError, show } from "../base/errors.ts";
import { LIST_LIMIT_DEFAULT, cursorAfter, parseCursor, withNewIds } from "./conversation-parts.ts";
import { excerpt, fold, queryWords } from "./fold.ts";
import type {
  ConversationQuery,
  ConversationStore,
  MessageDetail,
  StoredConversation,
  StoredMessage,
} from "./storage.ts";

type Row = Record<string, SQLInputValue>;

/** The store over an open, migrated database. */
export function createConversationStore(database: DatabaseSync): ConversationStore {
  const all = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).all(...values) as Row[];
  const one = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).get(...values) as Row | undefined;
  const run = (sql: string, ...values: SQLInputValue[]) => Number(database.prepare(sql).run(...values).changes);

  const transaction = <T>(work: () => T): T => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  };

  const conversation = (id: string): StoredConversation => {
    const row = one("SELECT * FROM conversations WHERE id = ?", id);
    if (row === undefined) throw new NotFoundError(`There is no conversation ${show(id)}.`);
    return toConversation(row);
  };

  const message = (conversationId: string, id: string): StoredMessage => {
    const row = one("SELECT * FROM messages WHERE id = ? AND conversation = ?", id, conversationId);
    if (row === undefined) throw new NotFoundError(`There is no message ${show(id)} in this conversation.`);
    return toMessage(row);
  };

  const insertConversation = (value: StoredConversation) =>
    run(
      "INSERT INTO conversations (id, title, folded, model, settings, head, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      value.id,
      value.title,
      fold(value.title),
      value.model,
      JSON.stringify(value.settings),
      value.head,
      value.createdAt,
      value.updatedAt,
    );

  const insertMessage = (conversationId: string, value: StoredMessage) =>
    run(
      "INSERT INTO messages (id, conversation, parent, role, content, folded, status, detail, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      value.id,
      conversationId,
      value.parent,
      value.role,
      value.content,
      fold(value.content),
      value.status,
      JSON.stringify(detailOf(value)),
      value.createdAt,
    );

  const list = ({ query = "", limit = LIST_LIMIT_DEFAULT, before }: ConversationQuery = {}) => {
    const words = queryWords(query);
    const conditions = words.map(
      () =>
        "(instr(folded, ?) > 0 OR EXISTS (SELECT 1 FROM messages m WHERE m.conversation = conversations.id AND instr(m.folded, ?) > 0))",
    );
    const values: SQLInputValue[] = words.flatMap((word) => [word, word]);
    if (before !== undefined) {
      const { updatedAt, id } = parseCursor(before);
      conditions.push("(updated_at, id) < (?, ?)");
      values.push(updatedAt, id);
    }
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    // One more than asked for tells whether there are following ones.
    const rows = all(
      `SELECT * FROM conversations ${where} ORDER BY updated_at DESC, id DESC LIMIT ?`,
      ...values,
      limit + 1,
    );
    const conversations = rows.slice(0, limit).map((row) => {
      const found = toConversation(row);
      const match = words.length === 0 ? undefined : firstMatch(found.id, words);
      return match === undefined ? found : { ...found, match };
    });
    const last = conversations.at(-1);
    const next = rows.length > limit && last !== undefined ? cursorAfter(last) : null;
    return { conversations, next };
  };

  const firstMatch = (id: string, words: readonly string[]): string | undefined => {
    for (const word of words) {
      const row = one(
        "SELECT content FROM messages WHERE conversation = ? AND instr(folded, ?) > 0 ORDER BY number LIMIT 1",
        id,
        word,
      );
      if (row !== undefined) return excerpt(row["content"] as string, word);
    }
    return undefined;
  };

  return {
    async list(query) {
      return list(query);
    },

    async get(id) {
      return conversation(id);
    },

    async getWhole(id) {
      const rows = all("SELECT * FROM messages WHERE conversation = ? ORDER BY number", id);
      return { ...conversation(id), messages: rows.map(toMessage) };
    },

    async create({ title, model, settings }) {
      const now = Date.now();
      const value = { id: crypto.randomUUID(), title, model, settings, head: null, createdAt: now, updatedAt: now };
      insertConversation(value);
      return value;
    },

    async change(id, change) {
      // Read and written under one lock: else what another process changes in between would be written back as it was.
      return transaction(() => {
        const old = conversation(id);
        if (change.head !== undefined) message(id, change.head);
        const updatedAt = change.title === undefined ? old.updatedAt : Date.now();
        const value: StoredConversation = {
          ...old,
          title: change.title ?? old.title,
          model: change.model === undefined ? old.model : change.model,
          settings: change.settings ?? old.settings,
          head: change.head ?? old.head,
          updatedAt,
        };
        run(
          "UPDATE conversations SET title = ?, folded = ?, model = ?, settings = ?, head = ?, updated_at = ? WHERE id = ?",
          value.title,
          fold(value.title),
          value.model,
          JSON.stringify(value.settings),
          value.head,
          updatedAt,
          id,
        );
        return value;
      });
    },

    async delete(id) {
      transaction(() => {
        conversation(id);
        // Children first: a parent's row cannot go while a child names it.
        run("UPDATE messages SET parent = NULL WHERE conversation = ?", id);
        run("DELETE FROM conversations WHERE id = ?", id);
      });
    },

    async addMessage(id, { parent, role, content, status, ...detail }) {
      const now = Date.now();
      const value = { id: crypto.randomUUID(), parent, role, content, status, createdAt: now, ...detail };
      transaction(() => {
        conversation(id);
        if (parent !== null) message(id, parent);
        insertMessage(id, value);
        run("UPDATE conversations SET head = ?, updated_at = ? WHERE id = ?", value.id, now, id);
      });
      return value;
    },

    async writeMessage(id, { content, status, ...detail }) {
      const changed = run(
        "UPDATE messages SET content = ?, folded = ?, status = ?, detail = ? WHERE id = ?",
        content,
        fold(content),
        status,
        JSON.stringify(detail),
        id,
      );
      if (changed === 0) throw new NotFoundError(`There is no message ${show(id)}.`);
      return toMessage(one("SELECT * FROM messages WHERE id = ?", id)!);
    },

    async path(conversationId, id) {
      message(conversationId, id);
      const rows = all(
        `WITH RECURSIVE up (id, parent, depth) AS (
           SELECT id, parent, 0 FROM messages WHERE id = ?
           UNION ALL SELECT m.id, m.parent, up.depth + 1 FROM messages m JOIN up ON m.id = up.parent
         ) SELECT messages.* FROM up JOIN messages ON messages.id = up.id ORDER BY up.depth DESC`,
        id,
      );
      return rows.map(toMessage);
    },

    async tip(conversationId, id) {
      let at = message(conversationId, id).id;
      for (;;) {
        const child = one("SELECT id FROM messages WHERE parent = ? ORDER BY number DESC LIMIT 1", at);
        if (child === undefined) return at;
        at = child["id"] as string;
      }
    },

    async import(conversations) {
      return transaction(() =>
        conversations.map((whole, index) => {
          const { conversation: copy, messages } = withNewIds(whole, `conversations[${index}]`);
          insertConversation(copy);
          for (const value of messages) insertMessage(copy.id, value);
          return copy.id;
        }),
      );
    },
  };
}

function toConversation(row: Row): StoredConversation {
  return {
    id: row["id"] as string,
    title: row["title"] as string,
    model: row["model"] as string | null,
    settings: JSON.parse(row["settings"] as string) as StoredConversation["settings"],
    head: row["head"] as string | null,
    createdAt: row["created_at"] as number,
    updatedAt: row["updated_at"] as number,
  };
}

function toMessage(row: Row): StoredMessage {
  return {
    id: row["id"] as string,
    parent: row["parent"] as string | null,
    role: row["role"] as StoredMessage["role"],
    content: row["content"] as string,
    createdAt: row["created_at"] as number,
    status: row["status"] as StoredMessage["status"],
    ...(JSON.parse(row["detail"] as string) as MessageDetail),
  };
}

function detailOf(value: StoredMessage): MessageDetail {
  const { model, finishReason, stats, error } = value;
  return { model, finishReason, stats, error };
}
