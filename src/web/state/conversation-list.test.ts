import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationList, ConversationSummary } from "../../server/api-types.ts";
import { importConversations, listStore, noteSummary, showMore } from "./conversation-list.ts";

const summary = (id: string, updatedAt: number): ConversationSummary => ({
  id,
  title: id,
  model: null,
  settings: {},
  head: null,
  createdAt: 0,
  updatedAt,
  replying: false,
});
const shown = () => listStore.get().items.map(({ id }) => id);

test("an old conversation that is opened by its address stands at its age, and once when its page comes", async (t) => {
  listStore.set({ items: [summary("c", 30), summary("b", 20)], next: "20.b", query: "" });
  noteSummary(summary("a", 10));
  assert.deepEqual(shown(), ["c", "b", "a"]);
  const page: ConversationList = { conversations: [summary("a", 10), summary("z", 5)], next: null };
  t.mock.method(globalThis, "fetch", () => Promise.resolve(Response.json(page)));
  await showMore();
  assert.deepEqual(shown(), ["c", "b", "a", "z"]);
});

test("a conversation that was just answered comes first", () => {
  listStore.set({ items: [summary("c", 30), summary("b", 20)], next: null, query: "" });
  noteSummary(summary("b", 40));
  noteSummary(summary("new", 50));
  assert.deepEqual(shown(), ["new", "b", "c"]);
});

test("a file that is too large for conversations is refused unread, and one that is no JSON is told as such", async () => {
  const unread = { size: 5e9, text: () => assert.fail("read") };
  await importConversations(unread);
  assert.equal(listStore.get().error?.code, "import_too_large");
  await importConversations(new File(["GGUF"], "model.json"));
  assert.equal(listStore.get().error?.code, "import_no_json");
});
