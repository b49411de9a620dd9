// A model that reads a source and writes another text, over HTTP: what OpenAI's own client gets of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { loadPath } from "../../src/chat/load-path.ts";
import { serve } from "../../src/server/index.ts";
import { sourceFolder } from "../chat/source-folder.ts";
import { createHarness } from "./harness.ts";

const options = { executor: "reference", window: 48, slots: 2 } as const;

test("chat.completions gives what the model makes of the last message, whole and streamed", async () => {
  await using folder = await sourceFolder();
  await using harness = await createHarness({ names: ["translator"], open: () => loadPath(folder.path, options) });
  const server = await serve({ app: harness.app, port: 0 });
  try {
    const client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
    const request = { model: "translator", max_tokens: 8 } as const;
    const ask = async (...texts: string[]): Promise<string> => {
      const messages = texts.map((content, i) => ({
        role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
        content,
      }));
      const { choices, usage } = await client.chat.completions.create({ ...request, messages });
      assert.equal(usage?.prompt_tokens, texts.at(-1)!.length + 2, "the message, with what begins and ends it");
      return choices[0].message.content!;
    };
    await using model = await loadPath(folder.path, options);
    let expected = "";
    for await (const event of model.generate("cab", { maxTokens: 8 })) {
      if (event.type === "text-delta") expected += event.text;
    }
    assert.ok(expected.length > 0);
    assert.equal(await ask("cab"), expected);
    assert.equal(await ask("zed", "an answer", "cab"), expected, "earlier messages are not read");
    assert.notEqual(await ask("zed"), expected);
    let streamed = "";
    const messages = [{ role: "user" as const, content: "cab" }];
    for await (const { choices } of await client.chat.completions.create({ ...request, messages, stream: true })) {
      streamed += choices[0]?.delta.content ?? "";
    }
    assert.equal(streamed, expected);
    assert.deepEqual(harness.failures, []);
  } finally {
    await server.close();
  }
});
