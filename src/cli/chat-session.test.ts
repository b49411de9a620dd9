import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ChatSession } from "./chat-session.ts";

const contents = (session: ChatSession): unknown[] => session.messages.map(({ content }) => content);

describe("a terminal conversation", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liang-chat-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("a line is a message to answer", async () => {
    const session = new ChatSession("m", {}, "Be brief.");
    assert.deepEqual(await session.take("Hello"), { do: "reply" });
    assert.deepEqual(contents(session), ["Be brief.", "Hello"]);
  });

  test("/regen drops the reply and keeps the question", async () => {
    const session = new ChatSession("m", {});
    await session.take("Hello");
    session.replied("Hi");
    assert.deepEqual(await session.take("/regen"), { do: "reply" });
    assert.deepEqual(contents(session), ["Hello"]);
  });

  test("/edit replaces the last message of the person", async () => {
    const session = new ChatSession("m", {});
    await session.take("Hello");
    session.replied("Hi");
    assert.deepEqual(await session.take("/edit Good\nmorning"), { do: "reply" });
    assert.deepEqual(contents(session), ["Good\nmorning"]);
  });

  test("/regen and /edit without a message say so", async () => {
    const session = new ChatSession("m", {}, "Be brief.");
    await assert.rejects(session.take("/regen"), { code: "bad_request" });
    await assert.rejects(session.take("/edit x"), { code: "bad_request" });
  });

  test("/system sets, shows and removes the system prompt, always first", async () => {
    const session = new ChatSession("m", {});
    await session.take("Hello");
    await session.take("/system Answer in Chinese.");
    assert.deepEqual(contents(session), ["Answer in Chinese.", "Hello"]);
    assert.deepEqual(await session.take("/system"), { do: "show", text: "Answer in Chinese." });
    await session.take("/system -");
    assert.deepEqual(contents(session), ["Hello"]);
  });

  test("/set takes known numbers only", async () => {
    const session = new ChatSession("m", {});
    await session.take("/set temperature 0.2");
    assert.equal(session.settings.temperature, 0.2);
    await assert.rejects(session.take("/set temprature 0.2"), /no setting/);
    await assert.rejects(session.take("/set temperature hot"), /expected a number/);
    await assert.rejects(session.take("/set toString 1"), /no setting/);
  });

  test("/save and /load keep messages and settings", async () => {
    const file = join(folder, "saved.json");
    const first = new ChatSession("m", { temperature: 0 }, "Be brief.");
    await first.take("你好");
    first.replied("好");
    await first.take(`/save ${file}`);
    const second = new ChatSession("m", {});
    await second.take(`/load ${file}`);
    assert.deepEqual(second.messages, first.messages);
    assert.equal(second.settings.temperature, 0);
  });

  test("/load refuses what is no conversation and leaves the session as it was", async () => {
    const session = new ChatSession("m", {});
    await session.take("Hello");
    const file = join(folder, "other.json");
    for (const content of ["{", "[]", '{"messages":[{"role":1}]}']) {
      await writeFile(file, content);
      await assert.rejects(session.take(`/load ${file}`), { code: "bad_format" });
    }
    await assert.rejects(session.take("/load /nowhere.json"), { code: "not_found" });
    assert.deepEqual(contents(session), ["Hello"]);
  });

  test("an unknown command is an error, not a message", async () => {
    const session = new ChatSession("m", {});
    await assert.rejects(session.take("/bogus"), /no command/);
    await assert.rejects(session.take("/constructor"), /no command/);
    assert.deepEqual(session.messages, []);
  });
});
