// Adapters over the built-in model, served: by name on a real port, in one batch with others and with none, what each gets
// alone. That this is what merged weights give: test/engine/adapter-suite.ts.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { loadPath } from "../../src/chat/load-path.ts";
import { readModelFiles } from "../../src/engine/file-store.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { type RunningServer, accessFor, createApp, serve } from "../../src/server/index.ts";
import type { ModelList as PageModels } from "../../src/server/api-types.ts";
import { openModelList, openSqliteStorage, type Storage } from "../../src/store/index.ts";
import { type AdapterSpec, makeAdapter } from "../engine/adapter-cases.ts";
import { writeGgufAdapter, writePeftFolder } from "../engine/adapter-folders.ts";

const TALE = join(import.meta.dirname, "../../models/stories260K.gguf");
const PROMPT = "Once upon a time";
const specs: Record<string, AdapterSpec> = {
  one: { seed: 1, rank: 4, alpha: 8, kind: "hf" },
  two: { seed: 2, rank: 20, alpha: 5, kind: "gguf", adapts: (name) => name.includes("attention") },
};

let folder: string;
let storage: Storage;
let server: RunningServer;
let client: OpenAI;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "liang-adapters-"));
  const list = openModelList(folder, [{ name: "tale", path: TALE }]);
  await using files = await openModelFiles(TALE);
  const model = await readModelFiles(files);
  await writePeftFolder(join(folder, "one"), makeAdapter(model, specs.one));
  await writeGgufAdapter(join(folder, "two.gguf"), makeAdapter(model, specs.two));
  await mkdir(join(folder, "broken"));
  await writeFile(join(folder, "broken/adapter_config.json"), "{}");
  for (const path of ["one", "two.gguf", "broken"]) await list.add(join(folder, path), { base: "tale" });
  storage = openSqliteStorage(":memory:");
  const app = createApp({
    models: list,
    load: (path, options) => loadPath(path, { ...options, window: 128, threads: 1 }),
    storage,
    page: { read: async () => undefined },
    access: accessFor("127.0.0.1"),
    version: "0",
    dataFolder: folder,
    log: () => undefined,
  });
  server = await serve({ app, port: 0 });
  client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
});
after(async () => {
  await server.close();
  await storage.close();
  await rm(folder, { recursive: true });
});

const reply = async (model: string): Promise<string> => {
  const { choices, model: said } = await client.completions.create({
    model,
    prompt: PROMPT,
    max_tokens: 24,
    temperature: 0,
  });
  assert.equal(said, model);
  return choices[0].text;
};

describe("adapters, served", () => {
  test("are models of the list by their own names", async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    assert.deepEqual(ids, ["tale", "tale@broken", "tale@one", "tale@two"]);
  });

  test("reply as the library has them, each otherwise", async () => {
    const texts = { tale: await reply("tale"), one: await reply("tale@one"), two: await reply("tale@two") };
    assert.equal(new Set(Object.values(texts)).size, 3);
    for (const [name, path] of [
      ["one", join(folder, "one")],
      ["two", join(folder, "two.gguf")],
    ] as const) {
      await using model = await loadPath(TALE, { adapter: path, window: 128, threads: 1 });
      assert.equal(model.info.adapter?.rank, specs[name].rank);
      let text = "";
      for await (const event of model.generate(PROMPT, { maxTokens: 24, temperature: 0 })) {
        if (event.type === "text-delta") text += event.text;
      }
      assert.equal(texts[name], text);
    }
  });

  test("give at once what each gives alone", async () => {
    const names = ["tale@one", "tale", "tale@two", "tale@one"];
    const alone: string[] = [];
    for (const name of names) alone.push(await reply(name));
    assert.deepEqual(await Promise.all(names.map(reply)), alone);
  });

  test("are in the page's list, in memory once they were asked for, and in conversations", async () => {
    const { models, current } = (await (await fetch(`${server.url}api/models`)).json()) as PageModels;
    assert.equal(current, "tale");
    assert.deepEqual(
      models.map(({ id, state }) => [id, state]),
      [
        ["tale", "loaded"],
        ["tale@broken", "unloaded"],
        ["tale@one", "loaded"],
        ["tale@two", "loaded"],
      ],
    );
  });

  test("that do not fit or are not there say so, and the model goes on", async () => {
    await assert.rejects(reply("tale@broken"), /adapter_model\.safetensors/);
    await assert.rejects(reply("tale@none"), /no adapter called/);
    assert.equal(typeof (await reply("tale")), "string");
  });
});
