// The narrow door on a model that reads a source: the last message is read, whole with its end, and the reply stands alone.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { describeModel } from "../../src/chat/describe.ts";
import { loadPath } from "../../src/chat/load-path.ts";
import type { LanguageModel, ReplyEvent } from "../../src/chat/types.ts";

const golden = resolve(import.meta.dirname, "../golden/families/t5");
const EOS = 1;
/** Of 320 ids those of letters: "▁" is 3, "a" 4. */
const letters = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(97 + i));
const idsOf = (word: string): number[] => word.split("").map((letter) => 4 + letters.indexOf(letter));

let folder: string;
let model: LanguageModel;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "liang-source-"));
  await cp(golden, folder, { recursive: true });
  const pieces = ["<pad>", "</s>", "<unk>", "▁", ...letters];
  const fillers = Array.from({ length: 320 - pieces.length }, (_, i) => `▁piece${i}`);
  const special = pieces.slice(0, 3).map((content, id) => ({ id, content, special: true, normalized: false }));
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  const tokenizer = {
    version: "1.0",
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: metaspace,
    decoder: metaspace,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
      pair: [],
      special_tokens: { "</s>": { id: "</s>", ids: [EOS], tokens: ["</s>"] } },
    },
    model: { type: "Unigram", unk_id: 2, vocab: [...pieces, ...fillers].map((piece, i) => [piece, -i]) },
  };
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  model = await loadPath(folder, { executor: "reference", window: 48, slots: 2 });
});
after(async () => {
  await model.close();
  await rm(folder, { recursive: true });
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
  const { notes, template, sampling } = await describeModel(folder, { executor: "reference", window: 48 });
  assert.equal(template, "built-in");
  assert.equal(sampling.temperature, 0);
  assert.match(notes.join(" "), /encoder-decoder.*no beam search/);
});
