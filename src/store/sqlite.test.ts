import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { FormatError, LiangError, NotFoundError, UnsupportedError, UsageError } from "../base/errors.ts";
import { openSqliteStorage } from "./sqlite.ts";
import type { ConversationStore } from "./storage.ts";

const memory = () => openSqliteStorage(":memory:");
const blank = { title: "", model: null, settings: {} };

async function say(store: ConversationStore, id: string, parent: string | null, content: string, role?: "assistant") {
  return (await store.addMessage(id, { parent, content, role: role ?? "user", status: "complete" })).id;
}

describe("conversations", () => {
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

  test("siblings make branches: each path is its own, and tip goes to the newest leaf", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create(blank);
    const question = await say(store, id, null, "q");
    const first = await say(store, id, question, "a1", "assistant");
    const second = await say(store, id, question, "a2", "assistant");
    const more = await say(store, id, first, "q2");
    assert.deepEqual(
      (await store.path(id, more)).map((message) => message.content),
      ["q", "a1", "q2"],
    );
    assert.equal(await store.tip(id, question), second);
    assert.equal(await store.tip(id, first), more);
    assert.equal((await store.get(id)).head, more);
    assert.equal((await store.change(id, { head: second })).head, second);
  });

  test("a message of another conversation is neither parent, head nor path", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const mine = await store.create(blank);
    const other = await store.create(blank);
    const foreign = await say(store, other.id, null, "x");
    await assert.rejects(say(store, mine.id, foreign, "y"), NotFoundError);
    await assert.rejects(store.change(mine.id, { head: foreign }), NotFoundError);
    await assert.rejects(store.path(mine.id, foreign), NotFoundError);
    await assert.rejects(store.tip(mine.id, foreign), NotFoundError);
  });

  test("what is not there is not found", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const none = crypto.randomUUID();
    await assert.rejects(store.get(none), NotFoundError);
    await assert.rejects(store.getWhole(none), NotFoundError);
    await assert.rejects(store.change(none, { title: "x" }), NotFoundError);
    await assert.rejects(store.delete(none), NotFoundError);
    await assert.rejects(say(store, none, null, "x"), NotFoundError);
    await assert.rejects(store.writeMessage(none, { content: "", status: "complete" }), NotFoundError);
  });

  test("writing a message replaces text, status and detail, and search sees the new text", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create(blank);
    const reply = await store.addMessage(id, { parent: null, role: "assistant", content: "", status: "stopped" });
    const error = { message: "m", type: "t", code: "c", param: null };
    const written = await store.writeMessage(reply.id, { content: "苹果", status: "failed", error });
    assert.deepEqual(written, { ...reply, content: "苹果", status: "failed", error });
    assert.equal((await store.list({ query: "苹果" })).conversations.length, 1);
  });

  test("deleting takes the messages along, and other conversations stay", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create(blank);
    const other = await store.create(blank);
    let at: string | null = null;
    for (let turn = 0; turn < 50; turn++) at = await say(store, id, at, "x");
    await say(store, other.id, null, "x");
    await store.delete(id);
    assert.equal((await store.list({ query: "x" })).conversations.length, 1);
  });
});

describe("the list", () => {
  test("is newest first by update and pages without gap or repetition, ties included", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.push((await store.create({ ...blank, title: `${index}` })).id);
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await store.list({ limit: 3, before });
      seen.push(...page.conversations.map((conversation) => conversation.id));
      before = page.next ?? undefined;
    } while (before !== undefined);
    assert.deepEqual(seen.toSorted(), ids.toSorted());
    await new Promise((resolve) => setTimeout(resolve, 2));
    await say(store, ids[2], null, "news");
    assert.equal((await store.list({ limit: 1 })).conversations[0]?.id, ids[2]);
    await assert.rejects(store.list({ before: "'; DROP TABLE" }), UsageError);
  });

  test("search finds Chinese words of one and two characters, any case, full-width forms, and LIKE's signs as they are", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create({ ...blank, title: "Kochen" });
    await say(store, id, null, "今天我想在本地运行模型，Token ＡＢＣ 100%_a");
    const found = async (query: string) => (await store.list({ query })).conversations.map((row) => row.match);
    for (const word of ["本地", "模", "运行模型", "token", "abc", "ＡＢＣ", "100%_", "今天 token"]) {
      assert.equal((await found(word)).length, 1, word);
    }
    for (const word of ["登录", "100%%", "1_0", "kochen x", "tokens"]) {
      assert.equal((await found(word)).length, 0, word);
    }
    assert.deepEqual(await found("KOCHEN"), [undefined], "a title has no excerpt");
    assert.match((await found("模型"))[0]!, /本地运行模型/);
  });

  test("words may be spread over title and messages, and each must occur", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create({ ...blank, title: "红楼梦" });
    await say(store, id, null, "黛玉");
    await say(store, id, null, "宝玉");
    const count = async (query: string) => (await store.list({ query })).conversations.length;
    assert.equal(await count("红楼 黛玉 宝玉"), 1);
    assert.equal(await count("红楼 宝钗"), 0);
  });

  test("an excerpt of a long text stands around the word and breaks no character", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const { id } = await store.create(blank);
    await say(store, id, null, `${"😀".repeat(100)} needle ${"🍎".repeat(100)}`);
    const match = (await store.list({ query: "needle" })).conversations[0]?.match ?? "";
    assert.match(match, /^….*needle.*…$/u);
    assert.ok(match.isWellFormed() && !match.includes("\uFFFD"));
    assert.ok(match.length < 140);
  });
});

describe("import", () => {
  test("what was exported comes back under new ids with the same tree", async () => {
    await using from = memory();
    await using to = memory();
    const { id } = await from.conversations.create({ title: "t", model: "m", settings: { minP: 0.1 } });
    const question = await say(from.conversations, id, null, "q");
    await say(from.conversations, id, question, "a1", "assistant");
    await say(from.conversations, id, question, "a2", "assistant");
    const whole = await from.conversations.getWhole(id);
    const [copyId] = await to.conversations.import([whole]);
    const [again] = await to.conversations.import([whole]);
    assert.notEqual(copyId, again);
    const copy = await to.conversations.getWhole(copyId);
    const shape = ({ messages, title, settings, createdAt, head }: typeof whole) => ({
      title,
      settings,
      createdAt,
      head: messages.findIndex((message) => message.id === head),
      messages: messages.map(({ parent, ...rest }) => ({
        ...rest,
        id: "",
        parent: messages.findIndex((message) => message.id === parent),
      })),
    });
    assert.deepEqual(shape(copy), shape(whole));
  });

  test("a bad tree is refused whole", async () => {
    await using storage = memory();
    const store = storage.conversations;
    const good = {
      id: "1",
      title: "",
      model: null,
      settings: {},
      head: null,
      createdAt: 1,
      updatedAt: 1,
      messages: [],
    };
    const message = { parent: null, role: "user", content: "", status: "complete", createdAt: 1 } as const;
    const bad = [
      { ...good, head: "9" },
      { ...good, messages: [{ ...message, id: "a", parent: "b" }] },
      { ...good, messages: [{ ...message, id: "a", parent: "a" }] },
      {
        ...good,
        messages: [
          { ...message, id: "a" },
          { ...message, id: "a" },
        ],
      },
    ];
    for (const conversation of bad) await assert.rejects(store.import([good, conversation]), FormatError);
    assert.equal((await store.list()).conversations.length, 0);
  });
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
