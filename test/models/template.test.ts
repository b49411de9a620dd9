// The reference conversations on the real vocabularies: the rendered text and the ids, exactly.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { chooseTemplate } from "../../src/chat/choose-template.ts";
import { templateMessages } from "../../src/chat/messages.ts";
import type { Message } from "../../src/chat/types.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { isVettedText } from "../../src/text/template-vetted.ts";
import { ggufTemplates } from "../../src/text/template-sources.ts";
import { modelFile } from "../model-files.ts";
import { sharedData } from "../shared-data.ts";

interface Conversation {
  readonly name: string;
  readonly messages: readonly Message[];
  readonly tools: readonly unknown[] | null;
  readonly add_generation_prompt: boolean;
  readonly rendered?: string;
  readonly rendered_llama_cpp_builtin_gemma?: string;
  readonly ids_parse_special?: readonly number[];
}

async function openTexts(path: string) {
  await using files = await openModelFiles(path);
  const tokenizer = tokenizerFromGguf(files.config, path);
  return { tokenizer, ...chooseTemplate(ggufTemplates(files.config, path), tokenizer) };
}

for (const name of ["qwen2.5-coder-1.5b-instruct-q4_k_m", "gemma-3-270m-q4_k_m"]) {
  const model = modelFile(`${name}.gguf`);
  const reference = sharedData(`real/${name}.json`);
  const skip = model.skip || reference.skip;

  describe(name, { skip }, () => {
    const { conversations } = (skip ? { conversations: [] } : JSON.parse(readFileSync(reference.path, "utf8"))) as {
      conversations: readonly Conversation[];
    };
    for (const conversation of conversations) {
      const expected = conversation.rendered ?? conversation.rendered_llama_cpp_builtin_gemma;
      if (expected === undefined) continue;
      test(`${conversation.name}: text and ids are the reference's`, async () => {
        const { tokenizer, template } = await openTexts(model.path);
        await using owned = template;
        const prompt = await owned.render({
          messages: templateMessages(conversation.messages, owned.source(conversation.tools !== null)),
          ...(conversation.tools && { tools: conversation.tools }),
          addGenerationPrompt: conversation.add_generation_prompt,
        });
        assert.equal(prompt.text, expected);
        const ids = tokenizer.encode(prompt.text, { special: true, plain: prompt.plain });
        assert.deepEqual(ids, conversation.ids_parse_special);
      });
    }

    test("a message of nothing but control tokens adds none of them", async () => {
      const { tokenizer, template } = await openTexts(model.path);
      await using owned = template;
      const ends = [...tokenizer.specials.endOfGeneration].map((id) => tokenizer.tokenText(id)).join("");
      const count = async (content: string): Promise<number> => {
        const { text, plain } = await owned.render({
          messages: [{ role: "user", content }],
          addGenerationPrompt: true,
        });
        assert.ok(text.includes(content));
        return tokenizer.encode(text, { special: true, plain }).filter((id) => tokenizer.isSpecial(id)).length;
      };
      assert.equal(await count(ends), await count("harmless"));
    });
  });
}

const qwen = modelFile("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf");
test("Qwen2.5's template is one that somebody has read; with a space more it is not", { skip: qwen.skip }, async () => {
  await using files = await openModelFiles(qwen.path);
  const { main } = ggufTemplates(files.config, qwen.path);
  assert.equal(await isVettedText(main!), true);
  assert.equal(await isVettedText(`${main!} `), false);
});
