// What every store of conversations promises (storage.ts), on each of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, NotFoundError, UsageError } from "../base/errors.ts";
import { type MemoryChange, type MemoryContents, createMemoryStorage } from "./memory.ts";
import { openSqliteStorage } from "./sqlite.ts";
import type { ConversationStore, Storage } from "./storage.ts";

const stores: Readonly<Record<string, () => Storage>> = {
  sqlite: () => openSqliteStorage(":memory:"),
  memory: () => createMemoryStorage(),
};
const blank = { title: "", model: null, settings: {} };

async function say(store: ConversationStore, id: string, parent: string | null, content: string, role?: "assistant") {
  return (await store.addMessage(id, { parent, content, role: role ?? "user", status: "complete" })).id;
}

for (const [name, memory] of Object.entries(stores)) {
  describe(`in ${name}`, () => {
    describe("conversations", () => {
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
  });
}

test("memory tells every change, and begins again with what it told", async () => {
  const kept = { conversations: new Map<string, unknown>(), settings: new Map<string, unknown>() };
  const onChange = (change: MemoryChange): void => {
    if (change.kind === "setting") kept.settings.set(change.key, change.value);
    else if (change.whole === undefined) kept.conversations.delete(change.id);
    else kept.conversations.set(change.id, structuredClone(change.whole));
  };
  const first = createMemoryStorage({ onChange });
  const { id } = await first.conversations.create({ title: "t", model: "m", settings: { topK: 3 } });
  const question = await say(first.conversations, id, null, "你好");
  const reply = await first.conversations.addMessage(id, {
    parent: question,
    role: "assistant",
    content: "",
    status: "stopped",
  });
  await first.conversations.writeMessage(reply.id, { content: "hi", status: "complete", finishReason: "stop" });
  await first.conversations.change(id, { title: "u" });
  const [copy] = await first.conversations.import([await first.conversations.getWhole(id)]);
  const gone = await first.conversations.create(blank);
  await first.conversations.delete(gone.id);
  await first.settings.set("defaults", { temperature: 0 });

  const contents = {
    conversations: [...kept.conversations.values()],
    settings: Object.fromEntries(kept.settings),
  } as MemoryContents;
  const second = createMemoryStorage({ contents });
  assert.deepEqual(await second.conversations.list(), await first.conversations.list());
  for (const one of [id, copy])
    assert.deepEqual(await second.conversations.getWhole(one), await first.conversations.getWhole(one));
  assert.deepEqual(await second.settings.get("defaults"), { temperature: 0 });
});

test("what memory gave away does not change what it holds", async () => {
  const { conversations } = createMemoryStorage();
  const { id } = await conversations.create({ title: "t", model: null, settings: { topK: 3 } });
  const got = (await conversations.get(id)) as { settings: { topK?: number } };
  got.settings.topK = 9;
  assert.deepEqual((await conversations.get(id)).settings, { topK: 3 });
});
