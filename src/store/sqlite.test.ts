// What SQLite adds to what every store promises (conversations.test.ts): files, other processes, versions.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { FormatError, LiangError, UnsupportedError } from "../base/errors.ts";
import { openSqliteStorage } from "./sqlite.ts";
import type { ConversationStore } from "./storage.ts";

const blank = { title: "", model: null, settings: {} };

async function say(store: ConversationStore, id: string, parent: string | null, content: string, role?: "assistant") {
  return (await store.addMessage(id, { parent, content, role: role ?? "user", status: "complete" })).id;
}

test("a conversation keeps its title, model, settings and messages over closing and opening", async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  try {
    await using first = openSqliteStorage(folder);
    const { id } = await first.conversations.create({ title: "t", model: "m", settings: { topK: 3, seed: null } });
    const user = await say(first.conversations, id, null, "你好");
    await first.conversations.addMessage(id, {
      parent: user,
      role: "assistant",
      content: "hi",
      status: "complete",
      model: "m",
      finishReason: "stop",
    });
    await first.settings.set("defaults", { temperature: 0 });
    await first.close();
    await using second = openSqliteStorage(folder);
    const whole = await second.conversations.getWhole(id);
    assert.deepEqual(
      { title: whole.title, model: whole.model, settings: whole.settings },
      { title: "t", model: "m", settings: { topK: 3, seed: null } },
    );
    assert.deepEqual(
      whole.messages.map(({ content, role }) => [role, content]),
      [
        ["user", "你好"],
        ["assistant", "hi"],
      ],
    );
    assert.equal(whole.messages[1]?.finishReason, "stop");
    assert.equal(whole.head, whole.messages[1]?.id);
    assert.deepEqual(await second.settings.get("defaults"), { temperature: 0 });
    assert.equal(await second.settings.get("nothing"), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a database of a newer Liang is refused, not changed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  const file = join(folder, "liang.db");
  try {
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => openSqliteStorage(folder), UnsupportedError);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("two storages on one file see each other's changes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  try {
    await using a = openSqliteStorage(folder);
    await using b = openSqliteStorage(folder);
    const { id } = await a.conversations.create(blank);
    await say(b.conversations, id, null, "from b");
    assert.equal((await a.conversations.getWhole(id)).messages[0]?.content, "from b");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("between the reading and the writing of a change nobody else's change gets lost", async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  try {
    await using storage = openSqliteStorage(folder);
    const { id } = await storage.conversations.create({ ...blank, title: "old" });
    using other = new DatabaseSync(join(folder, "liang.db"), { timeout: 0 });
    let refusals = 0;
    // runs after the reading, before the writing, whose settings it spells
    const settings = {
      topK: 1,
      toJSON() {
        assert.throws(() => other.exec("UPDATE conversations SET title = 'new'"), /locked/);
        refusals++;
        return {};
      },
    };
    await storage.conversations.change(id, { settings });
    assert.equal(refusals, 1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file that is no database, and a folder that is not there, are errors that name the file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  try {
    await writeFile(join(folder, "liang.db"), "no database ".repeat(100));
    assert.throws(() => openSqliteStorage(folder), FormatError);
    assert.throws(
      () => openSqliteStorage(join(folder, "nowhere")),
      (error) => error instanceof LiangError && error.code === "cannot_open" && /nowhere/.test(error.message),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("nobody else on the machine can read the chats", { skip: platform() === "win32" && "no such modes" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "liang-db-"));
  const storage = openSqliteStorage(folder);
  await storage.settings.set("a", 1); // makes SQLite's files beside it
  const names = await readdir(folder);
  assert.ok(names.length > 1);
  for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name);
  await storage.close();
  await rm(folder, { recursive: true });
});
