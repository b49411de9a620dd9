// The API behind the page: conversations, replies that outlive their reader, branches, models, settings.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryError } from "../../src/base/errors.ts";
import type {
  Conversation,
  ConversationExport,
  ConversationList,
  ConversationSummary,
  Imported,
  LoadEvent,
  ModelList,
  ReplyStreamEvent,
  ServerInfo,
  Settings,
  Stopped,
} from "../../src/server/api-types.ts";
import { allEvents, createGate, createHarness, errorOf, readEvents, until, type Harness } from "./harness.ts";

async function newConversation(harness: Harness, body: object = {}): Promise<Conversation> {
  const response = await harness.post("/api/conversations", body);
  assert.equal(response.status, 201);
  return (await response.json()) as Conversation;
}
const reply = (harness: Harness, id: string, body: object) => harness.post(`/api/conversations/${id}/reply`, body);
const whole = (harness: Harness, id: string) => harness.json<Conversation>(`/api/conversations/${id}`);
const patch = (harness: Harness, id: string, body: object) =>
  harness.request(`/api/conversations/${id}`, { method: "PATCH", body: JSON.stringify(body) });
const textOf = (events: readonly ReplyStreamEvent[]) =>
  events
    .map((event) => (event.type === "start" ? event.reply.content : event.type === "delta" ? event.text : ""))
    .join("");
const contents = (one: Conversation) => one.messages.map(({ content, role, stats }) => ({ content, role, stats }));
async function say(harness: Harness, id: string, body: object): Promise<ReplyStreamEvent & { type: "end" }> {
  const last = (await allEvents<ReplyStreamEvent>(await reply(harness, id, body))).at(-1);
  assert.ok(last?.type === "end");
  return last;
}

describe("replies", () => {
  test("a message is stored, its reply streamed and stored, the conversation named after the message", async () => {
    await using harness = await createHarness({ script: { reply: () => "Fine." } });
    const { id } = await newConversation(harness);
    const events = await allEvents<ReplyStreamEvent>(
      await reply(harness, id, { parent: null, content: "How are you?\nWell?" }),
    );
    const [first] = events;
    const last = events.at(-1)!;
    assert.ok(first.type === "start" && last.type === "end");
    assert.equal(first.user?.content, "How are you?\nWell?");
    assert.deepEqual([first.reply.status, first.reply.content, first.reply.parent], ["writing", "", first.user?.id]);
    assert.equal(first.conversation.title, "How are you?");
    assert.equal(first.conversation.replying, true);
    assert.ok(events.some((event) => event.type === "load" && event.progress.total === 10));
    assert.equal(textOf(events), "Fine.");
    assert.deepEqual([last.reply.status, last.reply.content, last.reply.finishReason], ["complete", "Fine.", "stop"]);
    assert.equal(last.conversation.replying, false);
    assert.equal(last.reply.stats?.completionTokens, 5);
    assert.equal(last.reply.stats?.window, 1000);
    const stored = await whole(harness, id);
    assert.deepEqual(stored.messages, [first.user, last.reply]);
    assert.equal(stored.head, last.reply.id);
    assert.equal(stored.messages[1].model, "org/first:Q4_K_M");
  });

  test("regenerating makes a sibling of the reply, editing a sibling of the message, and each branch is read alone", async () => {
    await using harness = await createHarness({ script: { reply: (prompt) => `<${prompt.length}>` } });
    const { id } = await newConversation(harness, { settings: { systemPrompt: "S" } });
    const first = (await say(harness, id, { parent: null, content: "A" })).reply;
    const again = (await say(harness, id, { parent: first.parent })).reply;
    assert.equal(again.parent, first.parent);
    assert.notEqual(again.id, first.id);
    await say(harness, id, { parent: first.id, content: "B" });
    assert.equal(
      harness.loaded[0].calls[2].prompt,
      `system: S\nuser: A\nassistant: ${first.content}\nuser: B\nassistant:`,
    );
    await say(harness, id, { parent: null, content: "A2" });
    assert.equal(harness.loaded[0].calls[3].prompt, "system: S\nuser: A2\nassistant:");
    const { messages } = await whole(harness, id);
    assert.deepEqual(
      messages.filter((message) => message.parent === null).map((message) => message.content),
      ["A", "A2"],
    );
  });

  test("a reply goes on when its reader leaves, and a new reader gets all of it", async () => {
    const gate = createGate();
    await using harness = await createHarness({ script: { reply: () => "abcdef", beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const first = readEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "x" }));
    await first.next();
    gate.pass();
    gate.pass();
    while ((await first.next()).value?.type !== "delta");
    await first.return(undefined); // the tab is closed
    await until(() => harness.loaded[0]?.active === 1, "the reply goes on");
    const listed = await harness.json<ConversationList>("/api/conversations");
    assert.equal(listed.conversations[0].replying, true);
    assert.equal((await whole(harness, id)).messages[1].status, "writing");

    const second = readEvents<ReplyStreamEvent>(await harness.request(`/api/conversations/${id}/reply`));
    const start = (await second.next()).value as ReplyStreamEvent & { type: "start" };
    assert.equal(start.user, undefined);
    gate.open();
    const rest: ReplyStreamEvent[] = [];
    for await (const event of second) rest.push(event);
    assert.equal(start.reply.content + textOf(rest), "abcdef");
    assert.equal(rest.at(-1)?.type, "end");
    assert.equal((await errorOf(await harness.request(`/api/conversations/${id}/reply`))).status, 404);
  });

  test("two readers at once get the same reply", async () => {
    const gate = createGate();
    await using harness = await createHarness({ script: { reply: () => "abcdef", beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const one = reply(harness, id, { parent: null, content: "x" });
    await until(() => harness.loaded[0]?.active === 1, "the reply runs");
    const two = harness.request(`/api/conversations/${id}/reply`);
    const both = Promise.all([one, two].map(async (response) => textOf(await allEvents(await response))));
    gate.open();
    assert.deepEqual(await both, ["abcdef", "abcdef"]);
  });

  test("stopping keeps what is there, marks it stopped, and ends the stream", async () => {
    const gate = createGate();
    await using harness = await createHarness({ script: { reply: () => "abcdef", beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const events = readEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "x" }));
    gate.pass();
    for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
      if (event.type === "delta") break;
    }
    const stopping = harness.json<Stopped>(`/api/conversations/${id}/stop`, { method: "POST" });
    gate.open();
    assert.deepEqual(await stopping, { stopped: true });
    let last: ReplyStreamEvent | undefined;
    for await (const event of events) last = event;
    assert.ok(last?.type === "end");
    assert.deepEqual([last.reply.status, last.reply.content], ["stopped", "a"]);
    const [user, made] = (await whole(harness, id)).messages;
    assert.deepEqual([user.content, made.content], ["x", "a"]);
    assert.ok(made.stats !== undefined && made.stats.firstTokenMs >= 0);
    const { promptTokens, completionTokens, window, seed } = made.stats;
    const prompt = "user: x\nassistant:";
    assert.deepEqual([promptTokens, completionTokens, window, seed], [prompt.length, 1, 1000, 7]);
    assert.deepEqual(await harness.json<Stopped>(`/api/conversations/${id}/stop`, { method: "POST" }), {
      stopped: false,
    });
  });

  test("a second reply at once is refused and stores nothing; another conversation is free", async () => {
    const gate = createGate();
    await using harness = await createHarness({ script: { beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const other = await newConversation(harness);
    const bodies = ["1", "2", "3"].map((content) => reply(harness, id, { parent: null, content }));
    const statuses = (await Promise.all(bodies)).map((response) => response.status);
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [200, 409, 409],
    );
    const refused = (await Promise.all(bodies)).find((response) => response.status === 409)!;
    assert.equal((await errorOf(refused)).code, "reply_running");
    assert.equal((await whole(harness, id)).messages.length, 2);
    assert.equal((await reply(harness, other.id, { parent: null, content: "x" })).status, 200);
    gate.open();
  });

  test("a failure is stored with its facts, and the next try works", async () => {
    const failing = { index: 2, error: new MemoryError("The prompt", 9e9, 1e9) as Error };
    const script = { reply: () => "abcdef", failAt: failing as typeof failing | undefined };
    await using harness = await createHarness({ script });
    const { id } = await newConversation(harness);
    const events = await allEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "x" }));
    const last = events.at(-1)!;
    assert.ok(last.type === "error");
    assert.equal(last.error.code, "out_of_memory");
    assert.deepEqual([last.reply.status, last.reply.content], ["failed", "ab"]);
    assert.equal((await whole(harness, id)).messages[1].error?.code, "out_of_memory");
    delete script.failAt;
    assert.equal((await say(harness, id, { parent: last.reply.parent })).reply.content, "abcdef");
  });

  test("too long a conversation fails with the numbers", async () => {
    await using harness = await createHarness({ script: { window: 20 } });
    const { id } = await newConversation(harness);
    const events = await allEvents<ReplyStreamEvent>(
      await reply(harness, id, { parent: null, content: "x".repeat(50) }),
    );
    const last = events.at(-1)!;
    assert.ok(last.type === "error");
    assert.equal(last.error.code, "context_length_exceeded");
    assert.equal(last.error.window, 20);
    assert.equal(last.error.promptTokens, 50 + "user: \nassistant:".length);
  });

  test("an error inside tells the page nothing of the inside, and the log all", async () => {
    const error = new TypeError("secret detail");
    await using harness = await createHarness({ script: { failAt: { index: 0, error } } });
    const { id } = await newConversation(harness);
    const events = await allEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "x" }));
    assert.ok(!JSON.stringify(events).includes("secret"));
    assert.deepEqual(harness.failures, [error]);
  });

  test("after a reply of which nothing came, the messages around it are read as one", async () => {
    const script = { failAt: { index: 0, error: new Error("x") } as { index: number; error: Error } | undefined };
    await using harness = await createHarness({ script });
    const { id } = await newConversation(harness);
    const events = await allEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "A" }));
    const failed = events.at(-1)!;
    assert.ok(failed.type === "error");
    delete script.failAt;
    await say(harness, id, { parent: failed.reply.id, content: "B" });
    assert.equal(harness.loaded[0].calls.at(-1)?.prompt, "user: A\n\nB\nassistant:");
  });

  test("settings reach the model, null as absent; the model named with a message stays the conversation's", async () => {
    await using harness = await createHarness();
    const settings: Settings = { temperature: 0, topK: 5, topP: null, minP: 0.1, maxTokens: 3, seed: 11 };
    const { id } = await newConversation(harness, { settings });
    const { conversation, reply: made } = await say(harness, id, { parent: null, content: "x", model: "second" });
    const { signal: _, ...options } = harness.loaded[0].calls[0].options;
    assert.deepEqual(options, { temperature: 0, topK: 5, minP: 0.1, maxTokens: 3, seed: 11 });
    assert.equal(conversation.model, "second");
    assert.equal(made.model, "second");
    assert.equal(made.finishReason, "length");
    assert.equal(made.stats?.seed, 11);
  });

  test("a wrong parent, an empty message and an unknown model are refused before anything is stored", async () => {
    await using harness = await createHarness();
    const { id } = await newConversation(harness);
    const bodies: [object, number, string | null][] = [
      [{ content: "x" }, 400, "parent"],
      [{ parent: null }, 400, "parent"],
      [{ parent: "nonsense", content: "x" }, 400, "parent"],
      [{ parent: crypto.randomUUID(), content: "x" }, 404, null],
      [{ parent: null, content: "" }, 400, "content"],
      [{ parent: null, content: "x", model: "none" }, 404, "model"],
    ];
    for (const [body, status, param] of bodies) {
      const error = await errorOf(await reply(harness, id, body));
      assert.deepEqual([error.status, error.param], [status, param], JSON.stringify(body));
    }
    assert.equal((await errorOf(await reply(harness, "none", { parent: null, content: "x" }))).status, 404);
    assert.deepEqual((await whole(harness, id)).messages, []);
    const { reply: made } = await say(harness, id, { parent: null, content: "x" });
    assert.equal((await errorOf(await reply(harness, id, { parent: made.id }))).param, "parent");
  });

  test("deleting a conversation stops its reply first", async () => {
    const gate = createGate();
    await using harness = await createHarness({ script: { beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const events = allEvents<ReplyStreamEvent>(await reply(harness, id, { parent: null, content: "x" }));
    await until(() => harness.loaded[0]?.active === 1, "the reply runs");
    const deleting = harness.request(`/api/conversations/${id}`, { method: "DELETE" });
    gate.open();
    assert.equal((await deleting).status, 200);
    assert.equal((await events).at(-1)?.type, "end");
    assert.equal((await harness.request(`/api/conversations/${id}`)).status, 404);
  });

  test("closing the app ends a running reply and keeps its text", async () => {
    const gate = createGate();
    const harness = await createHarness({ script: { reply: () => "abc", beforeToken: () => gate.wait() } });
    const { id } = await newConversation(harness);
    const response = await reply(harness, id, { parent: null, content: "x" });
    gate.pass();
    const events = readEvents<ReplyStreamEvent>(response);
    while ((await events.next()).value?.type !== "delta");
    const closing = harness.app.close();
    gate.open();
    await closing;
    assert.equal(harness.loaded[0].isClosed, true);
    const stored = await harness.storage.conversations.getWhole(id);
    assert.deepEqual([stored.messages[1].status, stored.messages[1].content], ["stopped", "a"]);
    await harness.storage.close();
  });
});

describe("conversations", () => {
  test("rename, settings, model and head change alone or together", async () => {
    await using harness = await createHarness();
    const { id } = await newConversation(harness);
    const first = await say(harness, id, { parent: null, content: "A" });
    const again = await say(harness, id, { parent: first.reply.parent });
    const renamed = (await (await patch(harness, id, { title: "新名" })).json()) as ConversationSummary;
    assert.equal(renamed.title, "新名");
    const back = (await (await patch(harness, id, { head: first.reply.id })).json()) as ConversationSummary;
    assert.equal(back.head, first.reply.id);
    assert.equal(back.title, "新名");
    const tip = (await (
      await patch(harness, id, { head: first.reply.parent!, tip: true })
    ).json()) as ConversationSummary;
    assert.equal(tip.head, again.reply.id);
    const error = await errorOf(await patch(harness, id, { settings: { temprature: 1 } }));
    assert.equal(error.status, 400, "a misspelt setting is an error, not ignored");
    assert.match(error.message, /temprature/);
    assert.equal((await errorOf(await patch(harness, id, { settings: { topP: 7 } }))).param, "settings.topP");
    assert.equal((await patch(harness, "none", { title: "x" })).status, 404);
  });

  test("search finds Chinese within words, and says where", async () => {
    await using harness = await createHarness({ script: { reply: () => "红楼梦里的林黛玉" } });
    const { id } = await newConversation(harness);
    await say(harness, id, { parent: null, content: "谁？" });
    await newConversation(harness, { title: "别的" });
    const found = await harness.json<ConversationList>(`/api/conversations?query=${encodeURIComponent("黛玉")}`);
    assert.deepEqual(
      found.conversations.map((row) => [row.id, row.match]),
      [[id, "红楼梦里的林黛玉"]],
    );
    assert.equal((await errorOf(await harness.request("/api/conversations?limit=0"))).param, "limit");
  });

  test("what is exported can be imported, and comes back the same under new ids", async () => {
    await using harness = await createHarness();
    const { id } = await newConversation(harness);
    await say(harness, id, { parent: null, content: "A" });
    const response = await harness.request("/api/conversations/export");
    assert.match(
      response.headers.get("content-disposition") ?? "",
      /^attachment; filename="liang-conversations\.json"$/,
    );
    const file = (await response.json()) as ConversationExport;
    const imported = await harness.post("/api/conversations/import", file);
    assert.equal(imported.status, 201);
    const { ids } = (await imported.json()) as Imported;
    const [before, after] = [await whole(harness, id), await whole(harness, ids[0])];
    assert.deepEqual(contents(after), contents(before));
    const one = await harness.json<ConversationExport>(`/api/conversations/${id}/export`);
    assert.equal(one.conversations.length, 1);
    const broken = { ...file, conversations: [{ ...file.conversations[0], head: "nowhere" }] };
    const error = await errorOf(await harness.post("/api/conversations/import", broken));
    assert.deepEqual([error.status, error.param], [400, "conversations[0].head"]);
    assert.equal((await errorOf(await harness.post("/api/conversations/import", { format: "other" }))).param, "format");
  });

  test("new conversations copy the default settings", async () => {
    await using harness = await createHarness();
    assert.deepEqual(await harness.json<Settings>("/api/settings"), {});
    const settings = { systemPrompt: "Be brief.", temperature: 0.3 };
    await harness.json("/api/settings", { method: "PUT", body: JSON.stringify(settings) });
    assert.deepEqual((await newConversation(harness)).settings, settings);
    assert.deepEqual((await newConversation(harness, { settings: { topK: 1 } })).settings, { topK: 1 });
  });
});

describe("models", () => {
  test("the list says what is in memory, and loading streams how far it is", async () => {
    await using harness = await createHarness();
    const before = await harness.json<ModelList>("/api/models");
    assert.deepEqual(
      before.models.map((model) => [model.id, model.state]),
      [
        ["org/first:Q4_K_M", "unloaded"],
        ["second", "unloaded"],
      ],
    );
    assert.equal(before.current, null);
    const events = await allEvents<LoadEvent>(await harness.post("/api/models/load", { model: "second" }));
    assert.deepEqual(events[0], { type: "load", progress: { label: "load", done: 5, total: 10, unit: "bytes" } });
    const last = events.at(-1)!;
    assert.ok(last.type === "loaded");
    assert.equal(last.model.info?.window, 1000);
    assert.equal((await harness.json<ModelList>("/api/models")).current, "second");
    await allEvents(await harness.post("/api/models/load", { model: "org/first:Q4_K_M" }));
    assert.equal(harness.loaded[0].isClosed, true, "the old one is unloaded");
  });

  test("loading goes on when its reader leaves, and leaves no lease behind", async () => {
    const gate = createGate();
    await using harness = await createHarness({ beforeLoad: () => gate.wait() });
    const events = readEvents<LoadEvent>(await harness.post("/api/models/load", { model: "second" }));
    await events.next();
    await events.return(undefined);
    const list = await harness.json<ModelList>("/api/models");
    assert.equal(list.models[1].state, "loading");
    assert.equal(list.models[1].progress?.done, 5);
    gate.open();
    await until(() => harness.loaded.length === 1, "loaded");
    await allEvents(await harness.post("/api/models/load", { model: "org/first:Q4_K_M" }));
    assert.equal(harness.loaded[0].isClosed, true);
  });

  test("the server tells its version and which model answers by default", async () => {
    await using harness = await createHarness({ defaultModel: "second" });
    const info = await harness.json<ServerInfo>("/api/server");
    assert.deepEqual(info, {
      name: "liang",
      version: "1.2.3",
      defaultModel: "second",
      dataFolder: "/data",
      trains: false,
    });
    await using empty = await createHarness({ names: [] });
    assert.equal((await empty.json<ServerInfo>("/api/server")).defaultModel, null);
    const error = await errorOf(
      await empty.post("/v1/chat/completions", { messages: [{ role: "user", content: "x" }] }),
    );
    assert.match(error.message, /no model yet/);
  });
});
