// The narrow door on a model that reads a source: the last message is read, whole with its end, and the reply stands alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeModel } from "../../src/chat/describe.ts";
import { loadPath } from "../../src/chat/load-path.ts";
import type { LanguageModel, ReplyEvent } from "../../src/chat/types.ts";
import { EOS, idsOf, sourceFolder } from "./source-folder.ts";

let folder: Awaited<ReturnType<typeof sourceFolder>>;
let model: LanguageModel;

before(async () => {
  folder = await sourceFolder();
  model = await loadPath(folder.path, { executor: "reference", window: 48, slots: 2 });
});
after(async () => {
  await model.close();
  await folder[Symbol.asyncDispose]();
});

async function endOf(events: AsyncIterable<ReplyEvent>): Promise<Extract<ReplyEvent, { type: "end" }>> {
  let end: ReplyEvent | undefined;
  for await (const event of events) end = event;
  assert.ok(end?.type === "end");
  return end;
}

test("chat reads the last message of the user, with its end, and nothing else", async () => {
  const messages = [
    { role: "system", content: "be brief" },
    { role: "user", content: "earlier" },
    { role: "assistant", content: "yes" },
    { role: "user", content: "cab" },
  ] as const;
  assert.equal(await model.render(messages), "cab");
  const source = [3, ...idsOf("cab"), EOS];
  assert.deepEqual(await model.promptIds(messages), source);
  const chatted = await endOf(model.chat(messages, { maxTokens: 8 }));
  assert.deepEqual(chatted.promptIds, source);
  assert.equal(chatted.usage.promptTokens, source.length);
  const generated = await endOf(model.generate("cab", { maxTokens: 8 }));
  assert.deepEqual(generated.ids, chatted.ids, "a text alone is read as the message is, and nothing is drawn");
  const other = await endOf(model.generate("zed", { maxTokens: 8 }));
  assert.notDeepEqual(other.ids, chatted.ids, "the source matters");
});

test("an end that a person writes is text", async () => {
  const ids = await model.promptIds([{ role: "user", content: "a</s>b" }]);
  assert.equal(ids.filter((id) => id === EOS).length, 1);
});

test("a conversation in which no user speaks has nothing to read", async () => {
  await assert.rejects(endOf(model.chat([{ role: "assistant", content: "yes" }])), /no message of a user/);
});

test("show says what it is and what it cannot do", async () => {
  const { notes, template, sampling } = await describeModel(folder.path, { executor: "reference", window: 48 });
  assert.equal(template, "built-in");
  assert.equal(sampling.temperature, 0);
  assert.match(notes.join(" "), /encoder-decoder.*no beam search/);
});
