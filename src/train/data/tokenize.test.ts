import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FormatError, NotFoundError } from "../../base/errors.ts";
import { createBatches } from "./batches.ts";
import { wordsFingerprint } from "./fingerprint.ts";
import { prepareData } from "./prepare.ts";
import { encodeText } from "./readings.ts";
import { openSplit, readTokenCard, tokenizeData } from "./tokenize.ts";
import { controlId, tinyTemplate, tinyTokenizer } from "./words.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "liang-tokenize-"));
after(() => rmSync(folder, { recursive: true }));

const TEXTS = Array.from({ length: 20 }, (_, i) => `天地${i}玄黄，宇宙洪荒${i * i}。<|im_end|>`);
const ROWS = [
  ...TEXTS.map((text) => ({ text })),
  { prompt: "你好", response: "你好！" },
  { messages: [{ role: "assistant", content: "begins by itself" }] },
];

async function preparedData(name: string): Promise<string> {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const output = join(folder, name);
  await prepareData([path], output, { validationShare: 0.4, alike: 1 });
  return output;
}

describe("tokenizing prepared data", () => {
  test("texts are learnt from BOS to EOS, control tokens in them are text", () => {
    const end = controlId("<|im_end|>");
    const { ids, spans } = encodeText(tinyTokenizer({ addBos: true }), "a<|im_end|>");
    assert.deepEqual([ids[0], ids.at(-1), ids.indexOf(end)], [controlId("<|endoftext|>"), end, ids.length - 1]);
    assert.deepEqual(spans, [[1, ids.length]]);
    const { ids: bare, spans: bareSpans } = encodeText(tinyTokenizer(), "ab");
    assert.deepEqual([bare, bareSpans], [[97, 98, end], [[1, 3]]]);
    assert.deepEqual(encodeText(tinyTokenizer(), "").spans, []);
  });

  test("every document is in its split's store, counted by source, or refused by name", async () => {
    const output = await preparedData("counted");
    const words = { tokenizer: tinyTokenizer({ addBos: true }), template: tinyTemplate("chatml") };
    const card = await tokenizeData(output, words);
    assert.deepEqual(await readTokenCard(output), card);
    assert.deepEqual(
      card.refused.map(({ line, reason }) => [line, /the model's own/.test(reason)]),
      [[22, true]],
    );
    const learnt: string[] = [];
    for (const split of ["train", "validation"] as const) {
      using store = await openSplit(output, split);
      const counts = card.splits[split];
      assert.deepEqual([store.sources.length, store.tokens], [counts.documents, counts.tokens]);
      assert.deepEqual(counts.sources.length, 1);
      assert.equal(counts.sha256, sha256OfStore(store.path));
      const targets = [...createBatches(store, { rows: 64 }).once()].flatMap((batch) =>
        [...batch.targets].filter((id) => id >= 0),
      );
      assert.equal(targets.length, counts.learnt);
      const text = words.tokenizer.decode(targets, { special: false });
      assert.equal(Buffer.byteLength(text), counts.learntBytes);
      learnt.push(text);
    }
    const all = learnt.join("");
    for (const text of [...TEXTS, "你好！"]) assert.ok(all.includes(text), text);
    assert.equal(card.splits.train.documents + card.splits.validation.documents, 21);
    assert.deepEqual(readdirSync(join(output, "tokens")).sort(), ["card.json", "train.tokens", "validation.tokens"]);
  });

  test("the same words give the same bytes, other words another fingerprint", async () => {
    const output = await preparedData("twice");
    const words = { tokenizer: tinyTokenizer(), template: tinyTemplate("chatml") };
    const one = await tokenizeData(output, words);
    assert.deepEqual(await tokenizeData(output, words), one);
    const prints = [
      words,
      { ...words, template: tinyTemplate("llama3") },
      { ...words, tokenizer: tinyTokenizer({ addBos: true }) },
    ].map(wordsFingerprint);
    assert.equal(new Set(prints).size, 3);
    assert.equal(one.fingerprint, prints[0]);
  });

  test("what is not there or was changed is refused", async () => {
    const output = await preparedData("refused");
    await assert.rejects(openSplit(output, "train"), NotFoundError);
    appendFileSync(join(output, "train.jsonl"), "{\n");
    const words = { tokenizer: tinyTokenizer(), template: tinyTemplate("chatml") };
    await assert.rejects(tokenizeData(output, words), FormatError);
    await assert.rejects(openSplit(output, "train"), NotFoundError);
    await assert.rejects(tokenizeData(join(folder, "nothing"), words), NotFoundError);
  });
});

/** As the writer hashes: the header, which is written last, behind the rest. */
function sha256OfStore(path: string): string {
  const content = readFileSync(path);
  return createHash("sha256").update(content.subarray(64)).update(content.subarray(0, 64)).digest("hex");
}
