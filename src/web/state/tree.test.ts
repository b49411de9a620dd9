import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation, ConversationMessage } from "../../server/api-types.ts";
import { branchTo, tipUnder, versionsOf, withMessages } from "./tree.ts";

const message = (id: string, parent: string | null, role: "user" | "assistant"): ConversationMessage => ({
  id,
  parent,
  role,
  content: id,
  createdAt: 0,
  status: "complete",
});

// u1 ─ a1 ─ u2 ─ a2
//    └ a1b        u1b ─ a3
const messages = [
  message("u1", null, "user"),
  message("a1", "u1", "assistant"),
  message("u2", "a1", "user"),
  message("a2", "u2", "assistant"),
  message("a1b", "u1", "assistant"),
  message("u1b", null, "user"),
  message("a3", "u1b", "assistant"),
];
const ids = (list: readonly ConversationMessage[]): string[] => list.map(({ id }) => id);
const find = (id: string): ConversationMessage => messages.find((one) => one.id === id)!;

test("the branch on show runs from the first message to the head", () => {
  assert.deepEqual(ids(branchTo(messages, "a2")), ["u1", "a1", "u2", "a2"]);
  assert.deepEqual(ids(branchTo(messages, "a1b")), ["u1", "a1b"]);
  assert.deepEqual(ids(branchTo(messages, null)), []);
  assert.deepEqual(ids(branchTo(messages, "gone")), []);
});

test("versions are the messages that answer, or ask, at the same place", () => {
  assert.deepEqual(ids(versionsOf(messages, find("a1"))), ["a1", "a1b"]);
  assert.deepEqual(ids(versionsOf(messages, find("u1b"))), ["u1", "u1b"]);
  assert.deepEqual(ids(versionsOf(messages, find("u2"))), ["u2"]);
});

test("a branch goes on to its newest end", () => {
  assert.equal(tipUnder(messages, "u1"), "a1b");
  assert.equal(tipUnder(messages, "a1"), "a2");
  assert.equal(tipUnder(messages, "a3"), "a3");
});

test("a tree that loops ends all the same", () => {
  const loop = [message("x", "y", "user"), message("y", "x", "assistant")];
  assert.equal(branchTo(loop, "x").length, 2);
  assert.ok(["x", "y"].includes(tipUnder(loop, "x")));
});

test("messages are replaced in their place and added at the end", () => {
  const conversation = { messages } as unknown as Conversation;
  const changed = withMessages(conversation, [{ ...find("a1"), content: "new" }, message("z", "a3", "user")]);
  assert.deepEqual(ids(changed.messages), [...ids(messages), "z"]);
  assert.equal(changed.messages[1].content, "new");
});
