// Adapters over a loaded model: attached while it talks, more of them than there was room for, closed, and what goes wrong.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { UsageError, isAbort } from "../../src/base/errors.ts";
import { loadPath } from "../../src/chat/load-path.ts";
import type { LanguageModel } from "../../src/chat/types.ts";
import { readModelFiles } from "../../src/engine/file-store.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { type AdapterSpec, makeAdapter } from "../engine/adapter-cases.ts";
import { writeGgufAdapter, writePeftFolder } from "../engine/adapter-folders.ts";

const TALE = join(import.meta.dirname, "../../models/stories260K.gguf");
const PROMPT = "Once upon a time";
const specs: readonly AdapterSpec[] = [
  { seed: 1, rank: 4, alpha: 8, kind: "hf", adapts: (name) => name.includes("mlp") },
  { seed: 2, rank: 20, alpha: 5, kind: "gguf" },
  { seed: 3, rank: 8, alpha: 8, kind: "hf", magnitude: true },
];

let folder: string;
let paths: string[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "liang-chat-adapters-"));
  await using files = await openModelFiles(TALE);
  const model = await readModelFiles(files);
  paths = specs.map(({ kind }, i) => join(folder, kind === "hf" ? `adapter-${i}` : `adapter-${i}.gguf`));
  for (const [i, spec] of specs.entries()) {
    await (spec.kind === "hf" ? writePeftFolder : writeGgufAdapter)(paths[i], makeAdapter(model, spec));
  }
});
after(() => rm(folder, { recursive: true }));

const open = (): Promise<LanguageModel> => loadPath(TALE, { window: 128, threads: 1 });

async function say(model: LanguageModel, maxTokens = 16): Promise<string> {
  let text = "";
  for await (const event of model.generate(PROMPT, { maxTokens, temperature: 0 })) {
    if (event.type === "text-delta") text += event.text;
  }
  return text;
}

describe("adapters over a loaded model", () => {
  test("come one by one, each a model of its own, and change nothing for those before", async () => {
    await using model = await open();
    const texts = [await say(model)];
    const models = [model];
    for (const path of paths) {
      models.push(await model.attach(path));
      texts.push(await say(models.at(-1)!));
      for (const [i, one] of models.entries()) assert.equal(await say(one), texts[i]);
    }
    assert.equal(new Set(texts).size, texts.length);
    assert.deepEqual(await Promise.all(models.map((one) => say(one))), texts);
    const [, first, second] = models;
    assert.equal(first.info.name, `${model.info.name}@adapter-0`);
    assert.deepEqual(first.info.adapter, {
      path: paths[0],
      projections: 15,
      rank: 4,
      parameters: first.info.adapter!.parameters,
    });
    assert.equal(second.info.adapter!.rank, 20);
    const ids = first.tokenize(PROMPT);
    assert.notDeepEqual(await first.logits(ids), await model.logits(ids));
  });

  test("loaded with the model, one speaks at once and owns it", async () => {
    await using model = await open();
    const expected = await say(await model.attach(paths[2], { name: "poet" }));
    const adapted = await loadPath(TALE, { window: 128, threads: 1, adapter: paths[2] });
    assert.equal(await say(adapted), expected);
    await adapted.close();
    await assert.rejects(say(adapted), UsageError);
  });

  test("one that needs room waits for replies under way, and new replies for it", async () => {
    await using model = await open();
    const long = model.generate(PROMPT, { maxTokens: 60, temperature: 0, ignoreEnd: true })[Symbol.asyncIterator]();
    await long.next();
    const order: string[] = [];
    const attaching = model.attach(paths[0]).then((adapted) => {
      order.push("attached");
      return adapted;
    });
    await new Promise((resolve) => setTimeout(resolve, 20)); // it has read the files by then, or reads them after: both hold
    let tokens = 0;
    for (let next = await long.next(); !next.done; next = await long.next())
      if (next.value.type === "text-delta") tokens++;
    order.push("long reply");
    const adapted = await attaching;
    assert.ok(tokens > 0);
    assert.deepEqual(order, ["long reply", "attached"]);
    assert.notEqual(await say(adapted), await say(model));
  });

  test("waiting for room can be given up, and the model goes on", async () => {
    await using model = await open();
    const long = model.generate(PROMPT, { maxTokens: 100, temperature: 0, ignoreEnd: true })[Symbol.asyncIterator]();
    await long.next();
    const controller = new AbortController();
    const attaching = model.attach(paths[0], { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(attaching, isAbort);
    await long.return?.();
    assert.notEqual(await say(model), await say(await model.attach(paths[0])));
  });

  test("a closed one is refused and its place is another's", async () => {
    await using model = await open();
    const first = await model.attach(paths[1]);
    const expected = await say(first);
    await first.close();
    await assert.rejects(say(first), UsageError);
    const again = await model.attach(paths[1]);
    assert.equal(await say(again), expected);
    assert.equal(typeof (await say(model)), "string");
  });

  test("files that are no adapter leave the model as it is", async () => {
    await using model = await open();
    await assert.rejects(model.attach(TALE), /general\.type is "model", expected "adapter"/);
    await assert.rejects(model.attach(join(folder, "nowhere")), /no file or folder/);
    await assert.rejects(loadPath(paths[0]), /is an adapter, not a model/);
    await assert.rejects(loadPath(paths[1]), /is an adapter, not a model/);
    assert.equal(typeof (await say(model)), "string");
  });

  test("closing the model ends all of them, also one that is on its way", async () => {
    const model = await open();
    const first = await model.attach(paths[0]);
    const running = say(first, 100);
    const coming = model.attach(paths[1]);
    await Promise.all([assert.rejects(running), assert.rejects(coming), model.close()]);
    await assert.rejects(say(first), UsageError);
  });
});
